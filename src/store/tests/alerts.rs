use tempfile::tempdir;

use super::support::*;
use crate::domain::alert::{Episode, Rule, Scope, Severity};
use crate::domain::ids::AlertId;
use crate::domain::record::Record;
use crate::domain::units::Timestamp;
use crate::store::alerts::KEPT;
use crate::store::{AlertQuery, Store};

fn episode(number: i64) -> Episode {
    Episode {
        id: AlertId::from_uuid(uuid_at(NOON + number, 0)),
        rule: Rule::SessionIdle,
        scope: Scope::Moonlock,
        level: 0,
        severity: Severity::Info,
        message: "Nothing was asked.".into(),
        raised_at: Timestamp(NOON + number),
        worsened_at: None,
        cleared_at: Some(Timestamp(NOON + number)),
        acknowledged_at: None,
        snoozed_until: None,
        muted: false,
    }
}

fn alert(store: &Store, episode: Episode) {
    put(store, Record::Alert(Box::new(episode)));
}

#[test]
fn the_oldest_alerts_that_are_over_are_forgotten() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    let stands = Episode {
        cleared_at: None,
        ..episode(0)
    };
    let snoozed = Episode {
        snoozed_until: Some(Timestamp(i64::MAX)),
        ..episode(1)
    };
    alert(&store, stands.clone());
    alert(&store, snoozed.clone());
    // What an older version left: more than are kept.
    connect(&directory.path().join("moonlock.db"))
        .execute(
            "WITH RECURSIVE numbers(number) AS (SELECT 2 UNION ALL SELECT number + 1 FROM numbers WHERE number < ?1) \
             INSERT INTO alerts (id, rule, scope, level, severity, message, raised_at, cleared_at, muted) \
             SELECT unhex(printf('%012x70008000000000000000', ?2 + number)), 'session.idle', 'moonlock', 0, 'info', '', \
                ?2 + number, ?2 + number, 0 FROM numbers",
            [KEPT + 100, NOON],
        )
        .unwrap();
    alert(&store, episode(KEPT + 101));
    let query = AlertQuery {
        limit: usize::MAX,
        ..AlertQuery::default()
    };
    let kept = store.reader().alerts(&query).unwrap();
    assert_eq!(kept.len(), usize::try_from(KEPT).unwrap() + 2);
    assert_eq!(kept[0], episode(KEPT + 101));
    assert_eq!(kept[kept.len() - 2..], [snoozed, stands]);
}
