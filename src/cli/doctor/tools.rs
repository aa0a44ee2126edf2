//! What the tools' own files say, which goes before the environment.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::Finding;
use super::address::Address;
use crate::config::{Environment, Settings};

/// Looks at the files. `proxy` is where the proxy is.
pub(super) async fn look(environment: &Environment, settings: &Settings, proxy: SocketAddr) -> Vec<Finding> {
    let claude = claude_settings(
        environment,
        &format!("{}://{proxy}", settings.access.scheme().as_str()),
    );
    let codex = codex(environment, settings, proxy).await;
    claude.into_iter().chain(codex).collect()
}

/// A folder that a variable names, or that is in the user's own.
fn folder(environment: &Environment, variable: &str, usual: &str) -> Option<PathBuf> {
    match environment.get(variable) {
        Some(folder) => Some(PathBuf::from(folder)),
        None => Some(Path::new(environment.get("HOME")?).join(usual)),
    }
}

/// Claude Code's own settings.
fn claude_settings(environment: &Environment, root: &str) -> Option<Finding> {
    let file = folder(environment, "CLAUDE_CONFIG_DIR", ".claude")?.join("settings.json");
    let settings: Value = serde_json::from_slice(&std::fs::read(&file).ok()?).ok()?;
    let said = settings.get("env")?.get("ANTHROPIC_BASE_URL")?.as_str()?;
    (!said.starts_with(root)).then(|| {
        Finding::warning(
            "claude",
            format!(
                "{} sets ANTHROPIC_BASE_URL to {said}, which goes before what the shell or `moonlock run` say.",
                file.display()
            ),
            "Take it out of the file's \"env\".",
        )
    })
}

/// What matters here of Codex's `config.toml`.
#[derive(Deserialize)]
struct Codex {
    openai_base_url: Option<String>,
    model_provider: Option<String>,
    profile: Option<String>,
    #[serde(default)]
    model_providers: BTreeMap<String, Provider>,
    #[serde(default)]
    profiles: BTreeMap<String, Profile>,
}

#[derive(Deserialize)]
struct Provider {
    base_url: Option<String>,
}

#[derive(Deserialize)]
struct Profile {
    model_provider: Option<String>,
}

/// Codex reads no variable; `moonlock run` gives it `openai_base_url`, which only its own provider `openai` follows.
async fn codex(environment: &Environment, settings: &Settings, proxy: SocketAddr) -> Option<Finding> {
    const ABOUT: &str = "codex";
    let file = folder(environment, "CODEX_HOME", ".codex")?.join("config.toml");
    let text = std::fs::read_to_string(&file).ok()?;
    let codex: Codex = match toml::from_str(&text) {
        Ok(codex) => codex,
        Err(error) => {
            let line = error.span().map_or(1, |span| {
                text.get(..span.start).unwrap_or_default().matches('\n').count() + 1
            });
            let text = format!("{}, line {line}: {}.", file.display(), error.message());
            return Some(Finding::problem(
                ABOUT,
                text,
                "Correct it: Codex does not start with it.",
            ));
        }
    };
    let of_profile = codex.profile.as_ref().and_then(|name| codex.profiles.get(name));
    let named = of_profile.and_then(|profile| profile.model_provider.as_ref());
    let named = named
        .or(codex.model_provider.as_ref())
        .map_or("openai", String::as_str);
    let root = format!("{}://{proxy}", settings.access.scheme().as_str());
    let provider = codex.model_providers.get(named);
    // Codex goes by its own table for `openai`, whatever the file says.
    let (name, said, usual) = match (named, provider.and_then(|provider| provider.base_url.as_ref())) {
        ("openai", Some(_)) => {
            return Some(Finding::warning(
                ABOUT,
                format!(
                    "{}: [model_providers.openai] has no effect in Codex.",
                    file.display()
                ),
                format!("Say openai_base_url = \"{root}/openai/v1\" instead, at the top of the file."),
            ));
        }
        ("openai", None) => {
            let Some(said) = &codex.openai_base_url else {
                return Some(Finding::ok(
                    ABOUT,
                    format!(
                        "{} leaves the address open: `moonlock run -- codex` says it.",
                        file.display()
                    ),
                ));
            };
            (
                "openai_base_url".to_owned(),
                said,
                Some(format!("{root}/openai/v1")),
            )
        }
        (_, Some(said)) => {
            let usual = settings.mounts.path_for(said).map(|path| format!("{root}{path}"));
            (format!("model_providers.{named}.base_url"), said, usual)
        }
        (_, None) => return Some(without_address(&file, named, provider.is_some(), &root)),
    };
    let address = Address {
        about: ABOUT,
        name: &name,
        said,
        usual,
        file: Some(&file),
    };
    Some(address.judge(settings, proxy).await)
}

/// A provider without an address in the file: one that Codex knows, or nobody.
fn without_address(file: &Path, provider: &str, is_there: bool, root: &str) -> Finding {
    let file = file.display();
    if !is_there && !["ollama", "lmstudio", "amazon-bedrock"].contains(&provider) {
        return Finding::problem(
            "codex",
            format!("{file} takes the provider `{provider}`, which it does not have."),
            format!("Add [model_providers.{provider}] with its base_url, or take model_provider out."),
        );
    }
    Finding::warning(
        "codex",
        format!(
            "{file} takes the provider `{provider}`, whose calls go past Moonlock, also under `moonlock run`."
        ),
        format!(
            "Make a [model_providers.NAME] whose base_url is a mount of {root}, and take that as model_provider."
        ),
    )
}
