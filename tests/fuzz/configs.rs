//! Any bytes as a configuration file, with a word as each of some variables: it is refused with a reason, or holds.
//!
//! The line is: the token, and the values of `HOST`, `MOONLOCK_UPSTREAM_OPENAI` and `BATCH_SIZE`; `-` leaves one out.

use std::path::PathBuf;
use std::sync::OnceLock;

use super::Input;
use moonlock::config::{Environment, Flags, Settings};

/// A place for the file: settings are read from one.
fn file() -> &'static PathBuf {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| {
        let name = format!("moonlock-fuzz-{}.toml", std::process::id());
        std::env::temp_dir().join(name)
    })
}

/// Loads the file that is there, with a token, and gives all that is said of it.
fn said(input: &Input<'_>, token: &str) -> String {
    let words = [
        ("MOONLOCK_CONFIG", file().to_str().unwrap()),
        ("DB_PATH", "/nowhere/moonlock.db"),
        ("MOONLOCK_TOKEN", token),
        ("HOST", input.word(1)),
        ("MOONLOCK_UPSTREAM_OPENAI", input.word(2)),
        ("BATCH_SIZE", input.word(3)),
    ];
    let environment = Environment::from_pairs(words.into_iter().filter(|(_, word)| *word != "-"));
    match Settings::load(&environment, &Flags::default()) {
        Ok(settings) => {
            assert!(
                settings.host.is_loopback() || settings.access.token().is_some(),
                "nobody else comes in"
            );
            assert!(settings.port != settings.proxy_port || settings.port == 0);
            assert!(settings.batch_size > 0);
            serde_json::to_string(&settings.show()).expect("what holds can be shown")
        }
        Err(error) => {
            let said = error.to_string();
            assert!(!said.is_empty(), "it says why");
            said
        }
    }
}

/// Holds what is promised against an input.
pub fn check(data: &[u8]) {
    let Some(input) = Input::parse(data) else { return };
    if input.body.len() > 64 << 10 {
        return;
    }
    std::fs::write(file(), input.body).unwrap();
    let token = input.word(0);
    let said_of_it = said(&input, token);
    if token.len() < 16 || !said_of_it.contains(token) {
        return;
    }
    // The word is there all the same where the file, another variable, or Moonlock itself says it: the name of a setting.
    let elsewhere = (1..4).any(|at| input.word(at).contains(token));
    assert!(
        elsewhere
            || String::from_utf8_lossy(input.body).contains(token)
            || said(&input, "another-token-of-some-length").contains(token),
        "the token is not said"
    );
}
