//! `moonlock prices`: what calls cost, by whose word, and prices of your own.

mod refresh;

use std::fmt::Write as _;
use std::path::Path;

use clap::{Args, Subcommand};
use jiff::civil::Date;
use serde_json::{Value, json};

use refresh::Refresh;

use super::exit::Failure;
use super::print::{Cell, FAINT, Side, Table, UNKNOWN, styled};
use super::say;
use crate::config::{ChangeError, Environment, Flags, Settings, config_file, price_list};
use crate::domain::pricing::{Catalog, Listed, Pattern, Price, Rates};
use crate::domain::units::{NanoUsd, Timestamp};

/// Look prices up, and set your own
#[derive(Debug, Args)]
#[command(after_help = "\
Prices are in dollars for a million tokens. Your own, in the configuration file, go before the price list.

Examples:
  moonlock prices
  moonlock prices search sonnet
  moonlock prices override 'my-model*' --input 0.50 --output 2
  moonlock prices override gpt-5 --provider azure --input 1.10 --output 8.80 --write
  moonlock prices refresh ~/Downloads/data.json")]
pub(super) struct Prices {
    #[command(subcommand)]
    act: Option<Act>,
    #[command(flatten)]
    show: Show,
}

#[derive(Debug, Args)]
struct Show {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// List your own prices, and say where the others come from (the default)
    List(Show),
    /// Find models in the price list
    Search {
        /// A part of the model's name
        model: String,
        #[command(flatten)]
        show: Show,
    },
    /// Print the table that sets a price of your own, or write it into the configuration file
    Override(Override),
    /// Price calls to come by a later list, from a file
    Refresh(Refresh),
}

#[derive(Debug, Args)]
struct Override {
    /// The model that answers; * stands for any text
    #[arg(value_parser = pattern)]
    model: Pattern,
    /// The mount that it holds for [default: all]
    #[arg(long, value_name = "MOUNT")]
    provider: Option<String>,
    /// The first day (UTC) on which it holds [default: always]
    #[arg(long, value_name = "DAY")]
    from: Option<Date>,
    /// Prompt tokens
    #[arg(long, value_name = "DOLLARS")]
    input: Option<NanoUsd>,
    /// Generated tokens
    #[arg(long, value_name = "DOLLARS")]
    output: Option<NanoUsd>,
    /// Prompt tokens read from a cache [default: as input]
    #[arg(long, value_name = "DOLLARS")]
    cache_read: Option<NanoUsd>,
    /// Prompt tokens written to a cache [default: as input]
    #[arg(long, value_name = "DOLLARS")]
    cache_write: Option<NanoUsd>,
    /// Prompt tokens written to a cache for an hour [default: as cache-write]
    #[arg(long = "cache-write-1h", value_name = "DOLLARS")]
    cache_write_1h: Option<NanoUsd>,
    /// Generated tokens that are reasoning [default: as output]
    #[arg(long, value_name = "DOLLARS")]
    reasoning: Option<NanoUsd>,
    /// Each request [default: nothing]
    #[arg(long, value_name = "DOLLARS")]
    request: Option<NanoUsd>,
    /// Write it into the configuration file; Moonlock reads that when it starts
    #[arg(long)]
    write: bool,
    #[command(flatten)]
    flags: Flags,
}

fn pattern(text: &str) -> Result<Pattern, String> {
    Pattern::parse(text).map_err(|problem| problem.to_string())
}

pub(super) fn run(environment: &Environment, prices: &Prices) -> Result<(), Failure> {
    match &prices.act {
        None => list(environment, &prices.show),
        Some(Act::List(show)) => list(environment, show),
        Some(Act::Search { model, show }) => find(environment, model, show),
        Some(Act::Override(own)) => set(environment, own),
        Some(Act::Refresh(new)) => refresh::run(environment, new),
    }
}

fn list(environment: &Environment, show: &Show) -> Result<(), Failure> {
    let settings = load(environment, &show.flags)?;
    let own = settings.prices.own_prices();
    let date = catalog(&settings)?.date();
    if show.json {
        let own: Vec<Value> = own.iter().map(as_json).collect();
        let said = json!({ "own": own, "catalog": {"source": "genai-prices", "date": date.to_string()} });
        say(&said.to_string());
        return Ok(());
    }
    if own.is_empty() {
        say("No prices of your own. `moonlock prices override` makes one.");
    } else {
        let mut table = Table::new(COLUMNS.into_iter().chain([("from", Side::Left)]));
        for price in own {
            let from = price
                .from
                .map_or_else(|| "always".to_owned(), |day| day.to_string());
            let mount = price.provider.as_deref().unwrap_or("*");
            table.row(
                row(mount, price.model.as_str(), &price.rates)
                    .into_iter()
                    .chain([from.into()]),
            );
        }
        table.print();
    }
    let file = config_file(environment, &show.flags);
    let file = file.map_or_else(String::new, |file| {
        format!("your own are in {}; ", file.display())
    });
    say(&styled(
        FAINT,
        &format!("{file}all others are those of genai-prices as of {date}, at the rates of a call's day"),
    ));
    Ok(())
}

fn find(environment: &Environment, model: &str, show: &Show) -> Result<(), Failure> {
    let now = Timestamp(jiff::Timestamp::now().as_millisecond());
    let catalog = catalog(&load(environment, &show.flags)?)?;
    let (found, date) = (catalog.search(model, now), catalog.date());
    if show.json {
        let models = found.iter().map(|listed| {
            let mut said = rates_as_json(&listed.rates);
            said["provider"] = json!(listed.provider);
            said["model"] = json!(listed.model);
            said
        });
        let models: Vec<Value> = models.collect();
        say(&json!({ "date": date.to_string(), "models": models }).to_string());
        return Ok(());
    }
    if found.is_empty() {
        return Err(Failure::run(&format_args!(
            "the price list of {date} has no model with `{model}` in its name; \
             `moonlock prices override` makes a price of your own"
        )));
    }
    let mut table = Table::new(COLUMNS);
    for Listed {
        provider,
        model,
        rates,
    } in &found
    {
        table.row(row(provider, model, rates));
    }
    table.print();
    let note = format!("dollars for a million tokens, as of {date}; prompts that are long may cost more");
    say(&styled(FAINT, &note));
    Ok(())
}

/// What is listed of each price.
const COLUMNS: [(&str, Side); 6] = [
    ("provider", Side::Left),
    ("model", Side::Left),
    ("input", Side::Right),
    ("cache read", Side::Right),
    ("cache write", Side::Right),
    ("output", Side::Right),
];

fn row(provider: &str, model: &str, rates: &Rates) -> [Cell; 6] {
    let rate = |rate: Option<NanoUsd>| rate.map_or_else(|| UNKNOWN.to_owned(), decimal).into();
    [
        provider.into(),
        model.into(),
        rate(rates.input),
        rate(rates.cache_read),
        rate(rates.cache_write),
        rate(rates.output),
    ]
}

/// Rates by their names, as `[[prices]]` has them.
fn named(rates: &Rates) -> [(&'static str, Option<NanoUsd>); 9] {
    [
        ("input", rates.input),
        ("cache_read", rates.cache_read),
        ("cache_write", rates.cache_write),
        ("cache_write_1h", rates.cache_write_1h),
        ("audio_input", rates.audio_input),
        ("output", rates.output),
        ("reasoning", rates.reasoning),
        ("audio_output", rates.audio_output),
        ("request", rates.request),
    ]
}

fn as_json(price: &Price) -> Value {
    let mut said = rates_as_json(&price.rates);
    said["provider"] = json!(price.provider);
    said["model"] = json!(price.model.as_str());
    said["from"] = json!(price.from.map(|day| day.to_string()));
    said
}

/// Rates in billionths of a dollar for a million tokens; what is not said is left out.
fn rates_as_json(rates: &Rates) -> Value {
    let said = named(rates).into_iter();
    let said = said.filter_map(|(name, rate)| {
        let words = name
            .split('_')
            .enumerate()
            .map(|(at, word)| match (at, word.split_at_checked(1)) {
                (1.., Some((first, rest))) => format!("{}{rest}", first.to_uppercase()),
                _ => word.to_owned(),
            });
        Some((format!("{}NanoUsd", words.collect::<String>()), json!(rate?)))
    });
    Value::Object(said.collect())
}

/// Dollars as a decimal number, exactly: `2.5`.
fn decimal(NanoUsd(nanos): NanoUsd) -> String {
    let text = format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn set(environment: &Environment, own: &Override) -> Result<(), Failure> {
    let settings = load(environment, &own.flags)?;
    if let Some(unknown) = own
        .provider
        .as_deref()
        .filter(|name| settings.mounts.get(name).is_none())
    {
        let names: Vec<&str> = settings.mounts.iter().map(|mount| &*mount.name).collect();
        let names = names.join(", ");
        return Err(Failure::usage(&format_args!(
            "there is no mount `{unknown}`; there are: {names}"
        )));
    }
    let price = Price {
        provider: own.provider.as_deref().map(Into::into),
        model: own.model.clone(),
        from: own.from,
        rates: Rates {
            input: own.input,
            cache_read: own.cache_read,
            cache_write: own.cache_write,
            cache_write_1h: own.cache_write_1h,
            output: own.output,
            reasoning: own.reasoning,
            request: own.request,
            ..Rates::default()
        },
    };
    if price.rates.is_empty() {
        return Err(Failure::usage(
            &"say how much: at least --input and --output, or --request",
        ));
    }
    let text = as_toml(&price);
    if !own.write {
        say(text.trim_end());
        return Ok(());
    }
    let file = config_file(environment, &own.flags).ok_or_else(|| {
        Failure::run(&"it is not known where the configuration file belongs: say --config FILE")
    })?;
    append(environment, &own.flags, &file, &text)?;
    say(&format!(
        "{} has it now; it holds when Moonlock is started anew.",
        file.display()
    ));
    Ok(())
}

/// The table that says a price.
fn as_toml(price: &Price) -> String {
    let mut text = "[[prices]]\n".to_owned();
    let mut line = |name: &str, value: String| {
        // A text keeps its lines when it is written to.
        writeln!(text, "{name} = {value}").unwrap_or_default();
    };
    let quoted = |said: &str| toml::Value::from(said).to_string();
    if let Some(provider) = &price.provider {
        line("provider", quoted(provider));
    }
    line("model", quoted(price.model.as_str()));
    if let Some(day) = price.from {
        line("from", day.to_string());
    }
    for (name, rate) in named(&price.rates) {
        if let Some(rate) = rate {
            line(name, quoted(&decimal(rate)));
        }
    }
    text
}

/// Puts a table at the end of the configuration file, if what comes of it can be used.
fn append(environment: &Environment, flags: &Flags, file: &Path, table: &str) -> Result<(), Failure> {
    let add = |before: &str| {
        let gap = match before.trim_end() {
            "" => "",
            _ if before.ends_with('\n') => "\n",
            _ => "\n\n",
        };
        format!("{before}{gap}{table}")
    };
    let added = Settings::rewrite(environment, flags, file, |before| Ok(add(before)));
    added.map(drop).map_err(|error| match error {
        ChangeError::Config(error) => Failure::usage(&error),
        error => Failure::run(&error),
    })
}

/// The price list that holds.
fn catalog(settings: &Settings) -> Result<Catalog, Failure> {
    price_list::load(settings.database.path()).map_err(|error| Failure::run(&error))
}

fn load(environment: &Environment, flags: &Flags) -> Result<Settings, Failure> {
    Settings::load(environment, flags).map_err(|error| Failure::usage(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_written_as_it_is_read() {
        let price = Price {
            provider: Some("openai".into()),
            model: Pattern::parse("say \"x\"*").unwrap(),
            from: Some(jiff::civil::date(2026, 11, 1)),
            rates: Rates {
                input: Some(NanoUsd(2_500_000_000)),
                cache_read: Some(NanoUsd(75_000_001)),
                output: Some(NanoUsd(10_000_000_000)),
                request: Some(NanoUsd(0)),
                ..Rates::default()
            },
        };
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("config.toml");
        std::fs::write(&file, "[server]\nport = 4001").unwrap();
        let (environment, flags) = (Environment::from_pairs([]), Flags::default());
        append(&environment, &flags, &file, &as_toml(&price)).unwrap();
        append(&environment, &flags, &file, &as_toml(&price)).unwrap();
        let flags = Flags {
            config: Some(file.clone()),
            ..flags
        };
        let settings = Settings::load(&environment, &flags).unwrap();
        assert_eq!(settings.prices.own_prices(), [price.clone(), price]);
        assert_eq!(settings.port, 4001);

        // What would not be read again is not written.
        let before = std::fs::read_to_string(&file).unwrap();
        assert!(append(&environment, &flags, &file, "[[prices]]\nmodel = \"\"\n").is_err());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
    }

    #[test]
    fn rates_have_the_unit_in_their_names() {
        let rates = Rates {
            cache_write_1h: Some(NanoUsd(5)),
            ..Rates::default()
        };
        assert_eq!(rates_as_json(&rates), json!({"cacheWrite1hNanoUsd": 5}));
    }
}
