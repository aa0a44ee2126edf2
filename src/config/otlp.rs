//! Where the calls go as OpenTelemetry's spans and their sums as its metrics, by the variables that its specification names
//! (<https://opentelemetry.io/docs/specs/otel/protocol/exporter/>,
//! <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>).
//!
//! They are set for other programs as well, so nothing in them keeps Moonlock from starting: what cannot be used is said,
//! and then nothing is exported.

use std::collections::BTreeMap;

use super::notify::check;
use super::resolve::Environment;
use crate::domain::metrics::otlp::Collector;
use crate::domain::notice::Hidden;
use crate::domain::units::Millis;

/// What is exported, with its own variables.
pub(super) struct Signal {
    exporter: &'static str,
    endpoint: &'static str,
    path: &'static str,
    protocol: [&'static str; 2],
    headers: [&'static str; 2],
    timeout: [&'static str; 2],
    /// The variable of the interval, and what that is by itself.
    every: (&'static str, Millis),
}

/// The calls' sums.
pub(super) const METRICS: Signal = Signal {
    exporter: "OTEL_METRICS_EXPORTER",
    endpoint: "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    path: "/v1/metrics",
    protocol: [
        "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL",
        "OTEL_EXPORTER_OTLP_PROTOCOL",
    ],
    headers: ["OTEL_EXPORTER_OTLP_METRICS_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"],
    timeout: ["OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"],
    every: ("OTEL_METRIC_EXPORT_INTERVAL", Millis(60_000)),
};

/// Each call.
pub(super) const TRACES: Signal = Signal {
    exporter: "OTEL_TRACES_EXPORTER",
    endpoint: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    path: "/v1/traces",
    protocol: [
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        "OTEL_EXPORTER_OTLP_PROTOCOL",
    ],
    headers: ["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"],
    timeout: ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"],
    every: ("OTEL_BSP_SCHEDULE_DELAY", Millis(5_000)),
};

const USUAL_TIMEOUT: Millis = Millis(10_000);
/// No more often than this.
const SHORTEST: Millis = Millis(100);
/// No variable's list has more entries.
const MOST: usize = 64;

/// Who takes a signal; `None` where no address is set, or it is turned off.
pub(super) fn resolve(environment: &Environment, signal: &Signal) -> Result<Option<Collector>, String> {
    let is_off = environment
        .get("OTEL_SDK_DISABLED")
        .is_some_and(|disabled| disabled.eq_ignore_ascii_case("true"))
        || environment
            .get(signal.exporter)
            .is_some_and(|exporters| !exporters.split(',').any(|exporter| exporter.trim() == "otlp"));
    let Some(url) = url(environment, signal).filter(|_| !is_off) else {
        return Ok(None);
    };
    check(&url).map_err(|problem| format!("OTEL_EXPORTER_OTLP_ENDPOINT cannot be used: {problem}"))?;
    if own(environment, signal.protocol).is_some_and(|(_, protocol)| protocol == "grpc") {
        let [protocol, _] = signal.protocol;
        let (endpoint, exporter) = (signal.endpoint, signal.exporter);
        return Err(format!(
            "OTEL_EXPORTER_OTLP_PROTOCOL is grpc, and Moonlock speaks http/json: set {protocol}=http/json and {endpoint}, \
             or {exporter}=none"
        ));
    }
    let headers = match own(environment, signal.headers) {
        Some((name, text)) => list(name, text)?,
        None => BTreeMap::new(),
    };
    let mut resource = BTreeMap::from([
        ("service.name".to_owned(), "moonlock".to_owned()),
        ("service.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
    ]);
    if let Some(text) = environment.get("OTEL_RESOURCE_ATTRIBUTES") {
        resource.extend(list("OTEL_RESOURCE_ATTRIBUTES", text)?);
    }
    if let Some(name) = environment.get("OTEL_SERVICE_NAME") {
        resource.insert("service.name".to_owned(), name.to_owned());
    }
    let (every, usual) = signal.every;
    let interval = environment.get(every).map(|text| (every, text));
    Ok(Some(Collector {
        url: Hidden(url.into()),
        headers: headers
            .into_iter()
            .map(|(name, value)| (name.into(), Hidden(value.into())))
            .collect(),
        interval: millis(interval, usual)?.max(SHORTEST),
        timeout: millis(own(environment, signal.timeout), USUAL_TIMEOUT)?,
        resource: resource
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect(),
    }))
}

/// The signal's own address as it is, or below the one of all signals.
fn url(environment: &Environment, signal: &Signal) -> Option<String> {
    if let Some(url) = environment.get(signal.endpoint) {
        return Some(url.to_owned());
    }
    let base = environment.get("OTEL_EXPORTER_OTLP_ENDPOINT")?;
    Some(format!("{}{}", base.trim_end_matches('/'), signal.path))
}

/// What is said for the signal, or else for all signals; with the variable that says it.
fn own<'a>(environment: &'a Environment, names: [&'static str; 2]) -> Option<(&'static str, &'a str)> {
    names
        .into_iter()
        .find_map(|name| Some((name, environment.get(name)?)))
}

/// `name=value,name=value`, both percent-encoded.
fn list(variable: &str, text: &str) -> Result<BTreeMap<String, String>, String> {
    // What is wrong does not hold the text: it may be a key.
    let wrong = || format!("{variable} is no list of NAME=VALUE, NAME=VALUE in percent-encoding");
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    let mut list = BTreeMap::new();
    for pair in pairs {
        let (name, value) = pair.split_once('=').ok_or_else(wrong)?;
        let (name, value) = decoded(name).zip(decoded(value)).ok_or_else(wrong)?;
        if name.is_empty() || list.len() == MOST {
            return Err(wrong());
        }
        list.insert(name, value);
    }
    Ok(list)
}

/// Undoes percent-encoding (RFC 3986 §2.1); `None` where two hexadecimal digits are missing, or it is no UTF-8.
fn decoded(text: &str) -> Option<String> {
    let mut pieces = text.trim().split('%');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let digits = piece
            .get(..2)
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(piece.as_bytes().get(2..)?);
    }
    String::from_utf8(bytes).ok()
}

fn millis(said: Option<(&str, &str)>, usual: Millis) -> Result<Millis, String> {
    let Some((variable, text)) = said else {
        return Ok(usual);
    };
    match text.parse() {
        Ok(0) | Err(_) => Err(format!("{variable} is no number of milliseconds")),
        Ok(millis) => Ok(Millis(millis)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(pairs: &[(&str, &str)]) -> Result<Option<Collector>, String> {
        resolve(&Environment::from_pairs(pairs.iter().copied()), &METRICS)
    }

    #[test]
    fn nothing_goes_out_unless_an_address_is_set() {
        for pairs in [
            &[][..],
            &[("OTEL_SERVICE_NAME", "x"), ("OTEL_METRIC_EXPORT_INTERVAL", "100")],
            &[
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"),
                ("OTEL_SDK_DISABLED", "TRUE"),
            ],
            &[
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"),
                ("OTEL_METRICS_EXPORTER", "none"),
            ],
        ] {
            assert_eq!(resolved(pairs), Ok(None), "{pairs:?}");
        }
    }

    #[test]
    fn the_address_is_below_the_one_of_all_signals_or_the_metrics_own() {
        let url = |pairs: &[(&str, &str)]| resolved(pairs).unwrap().unwrap().url.0;
        let all = "OTEL_EXPORTER_OTLP_ENDPOINT";
        for (base, whole) in [
            ("http://c:4318", "http://c:4318/v1/metrics"),
            ("https://c/otlp/", "https://c/otlp/v1/metrics"),
        ] {
            assert_eq!(&*url(&[(all, base)]), whole);
        }
        let own = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "https://m/in?k=1");
        assert_eq!(&*url(&[(all, "http://c:4318"), own]), "https://m/in?k=1");
    }

    #[test]
    fn calls_have_variables_of_their_own() {
        let resolved = |pairs: &[(&str, &str)]| {
            resolve(&Environment::from_pairs(pairs.iter().copied()), &TRACES).unwrap()
        };
        let all = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318");
        let usual = resolved(&[all, ("OTEL_METRICS_EXPORTER", "none")]).unwrap();
        assert_eq!(
            (&*usual.url.0, usual.interval),
            ("http://c:4318/v1/traces", Millis(5_000))
        );
        assert_eq!(resolved(&[all, ("OTEL_TRACES_EXPORTER", "none")]), None);
        let own = resolved(&[
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://t/x"),
            ("OTEL_BSP_SCHEDULE_DELAY", "200"),
        ]);
        let own = own.unwrap();
        assert_eq!((&*own.url.0, own.interval), ("http://t/x", Millis(200)));
    }

    #[test]
    fn what_goes_with_it_is_read_as_it_is_specified() {
        let collector = resolved(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"),
            (
                "OTEL_EXPORTER_OTLP_HEADERS",
                "authorization=Basic%20YWI%3D, x-scope = 7 ",
            ),
            ("OTEL_RESOURCE_ATTRIBUTES", "service.name=a,host.name=b%2Cc"),
            ("OTEL_SERVICE_NAME", "mine"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "5"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "1500"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_METRICS_EXPORTER", "prometheus, otlp"),
        ])
        .unwrap()
        .unwrap();
        let headers: Vec<(&str, &str)> = collector
            .headers
            .iter()
            .map(|(name, value)| (&**name, &*value.0))
            .collect();
        assert_eq!(headers, [("authorization", "Basic YWI="), ("x-scope", "7")]);
        let resource: Vec<(&str, &str)> = collector
            .resource
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        assert_eq!(
            resource,
            [
                ("host.name", "b,c"),
                ("service.name", "mine"),
                ("service.version", env!("CARGO_PKG_VERSION"))
            ]
        );
        assert_eq!((collector.interval, collector.timeout), (SHORTEST, Millis(1_500)));
        assert!(!format!("{collector:?}").contains("Basic"));
    }

    #[test]
    fn what_cannot_be_used_is_said_without_what_it_holds() {
        for (name, value) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4317"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "s3cret"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "=s3cret"),
            ("OTEL_RESOURCE_ATTRIBUTES", "a=%ff"),
            ("OTEL_RESOURCE_ATTRIBUTES", "a=%4"),
            ("OTEL_RESOURCE_ATTRIBUTES", "a=%+f"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "1m"),
            ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "0"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ] {
            let problem =
                resolved(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"), (name, value)]).unwrap_err();
            let stem = name.split("_METRICS").next().unwrap();
            assert!(problem.contains(stem) && !problem.contains("s3cret"), "{problem}");
        }
    }
}
