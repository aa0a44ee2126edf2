use super::*;
use crate::domain::alert::{AlertStatus, Rule, Scope, Severity};
use crate::domain::budget::Period;
use crate::domain::forecast::Score;
use crate::domain::ids::AlertId;
use crate::domain::notice::TargetKind;
use crate::domain::session::efficiency::{EfficiencyPart, LeftOut};
use crate::domain::session::event::EventKind;
use crate::domain::session::usual::Place;
use crate::domain::windows::{Kind, Standing};
use std::fmt::Write;
use std::path::Path;
use ts_rs::{Config, TS};

/// The TypeScript of all wire types, as the dashboard has it.
fn typescript() -> String {
    let config = Config::default().with_large_int("number");
    let mut text =
        "// Generated from src/domain/wire by `MOONLOCK_WRITE_TYPES=1 cargo test --lib wire`. Do not edit.\n"
            .to_owned();
    let mut add = |declaration: String, docs: Option<String>| {
        write!(text, "\n{}export {declaration}\n", docs.unwrap_or_default()).unwrap();
    };
    macro_rules! add {
        ($($name:ty),+ $(,)?) => { $(add(<$name>::decl(&config), <$name>::docs());)+ };
    }
    add!(
        Outcome,
        Source,
        PriceSource,
        Attribution,
        Status,
        CallsFate,
        Origin,
        OnSleep,
        EventKind,
        ClockEvent,
        CheckpointUsage,
        CheckpointView,
        CheckpointMark,
        CheckpointsPage,
        ClockEvents,
        TokenEntry,
        SourceTotals,
        Uncertain,
        Reconciliation,
        TokensPage,
        Counted,
        Reported,
        CallView,
        CallParts,
        CallDetail,
        Totals,
        BurnRateView,
        BandView,
        OutlookView,
        TimeToLimitView,
        BudgetForecast,
        ForecastEnd,
        ForecastView,
        Foretold,
        Score,
        TrackRecord,
        SessionView,
        CurvePoint,
        CurveView,
        SessionFigures,
        ComparedView,
        ComparisonView,
        EfficiencyPart,
        LeftOut,
        EfficiencyUnit,
        EfficiencyPartView,
        EfficiencyView,
        QuartilesView,
        PastBand,
        Place,
        PastPlace,
        PastNow,
        PastView,
        Counts,
        AtLimit,
        Period,
        BudgetView,
        BudgetsPage,
        Rule,
        Severity,
        AlertStatus,
        Scope,
        AlertView,
        AlertsPage,
        AlertRule,
        AlertRules,
        Kind,
        Standing,
        IntervalView,
        CallProgress,
        ErrorsView,
        CalibrationView,
        CalibrationPage,
        EstimateView,
        HeatmapKind,
        Heatmap,
        HeatmapCell,
        UsageKeys,
        UsageGroup,
        UsagePage,
        Tool,
        Connect,
        WindowView,
        LimitsView,
        TargetKind,
        NotificationTarget,
        NotificationTargets,
        NotificationTest,
        SettingSource,
        SettingView,
        SettingsView,
        BackupView,
        StorageView,
        Snapshot,
        MovedCalls,
        Change,
        Event,
        ServerMessage
    );
    text
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the one switch of this test")]
fn the_dashboards_types_are_those_of_the_server() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboard/src/api/types.gen.ts");
    let types = typescript();
    if std::env::var("MOONLOCK_WRITE_TYPES").is_ok() {
        std::fs::write(&path, &types).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        written, types,
        "write it anew with MOONLOCK_WRITE_TYPES=1 cargo test --lib wire"
    );
}

#[test]
fn an_event_is_flat_and_its_kind_names_its_data() {
    let alert = AlertView {
        id: AlertId::from_uuid(uuid::Uuid::nil()),
        rule: Rule::StoreSlow,
        scope: Scope::Moonlock,
        severity: Severity::Warning,
        level: None,
        status: AlertStatus::Active,
        message: "m".into(),
        raised_at: 1,
        worsened_at: None,
        cleared_at: None,
        acknowledged_at: None,
        snoozed_until: None,
    };
    let event = Event {
        seq: 7,
        at: 1,
        session_id: None,
        change: Change::Alert(alert),
    };
    let json = serde_json::to_value(ServerMessage::Event(Box::new(event))).unwrap();
    assert_eq!(json["type"], "event");
    assert_eq!(json["kind"], "alert");
    assert_eq!(json["data"]["rule"], "store.slow");
    assert_eq!(json["data"]["scope"]["kind"], "moonlock");
    assert_eq!(json["sessionId"], serde_json::Value::Null);
}
