//! Where the calls' sums go as OpenTelemetry's metrics, by the variables that its specification names
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

const PROTOCOL: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
];
const HEADERS: [&str; 2] = ["OTEL_EXPORTER_OTLP_METRICS_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"];
const TIMEOUT: [&str; 2] = ["OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];
const EVERY: &str = "OTEL_METRIC_EXPORT_INTERVAL";

const INTERVAL: Millis = Millis(60_000);
const USUAL_TIMEOUT: Millis = Millis(10_000);
/// No more often than this.
const SHORTEST: Millis = Millis(100);
/// No variable's list has more entries.
const MOST: usize = 64;

/// Who takes the metrics; `None` where no address is set, or they are turned off.
pub(super) fn resolve(environment: &Environment) -> Result<Option<Collector>, String> {
    let is_off = environment
        .get("OTEL_SDK_DISABLED")
        .is_some_and(|disabled| disabled.eq_ignore_ascii_case("true"))
        || environment
            .get("OTEL_METRICS_EXPORTER")
            .is_some_and(|exporters| !exporters.split(',').any(|exporter| exporter.trim() == "otlp"));
    let Some(url) = url(environment).filter(|_| !is_off) else {
        return Ok(None);
    };
    check(&url).map_err(|problem| format!("OTEL_EXPORTER_OTLP_ENDPOINT cannot be used: {problem}"))?;
    if own(environment, PROTOCOL).is_some_and(|(_, protocol)| protocol == "grpc") {
        return Err(
            "OTEL_EXPORTER_OTLP_PROTOCOL is grpc, and Moonlock speaks http/json: set \
             OTEL_EXPORTER_OTLP_METRICS_PROTOCOL=http/json and OTEL_EXPORTER_OTLP_METRICS_ENDPOINT, or \
             OTEL_METRICS_EXPORTER=none"
                .to_owned(),
        );
    }
    let headers = match own(environment, HEADERS) {
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
    let interval = environment.get(EVERY).map(|text| (EVERY, text));
    Ok(Some(Collector {
        url: Hidden(url.into()),
        headers: headers
            .into_iter()
            .map(|(name, value)| (name.into(), Hidden(value.into())))
            .collect(),
        interval: millis(interval, INTERVAL)?.max(SHORTEST),
        timeout: millis(own(environment, TIMEOUT), USUAL_TIMEOUT)?,
        resource: resource
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect(),
    }))
}

/// The metrics' own address as it is, or below the one of all signals.
fn url(environment: &Environment) -> Option<String> {
    if let Some(url) = environment.get("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT") {
        return Some(url.to_owned());
    }
    let base = environment.get("OTEL_EXPORTER_OTLP_ENDPOINT")?;
    Some(format!("{}/v1/metrics", base.trim_end_matches('/')))
}

/// What is said for metrics, or else for all signals; with the variable that says it.
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
        resolve(&Environment::from_pairs(pairs.iter().copied()))
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
