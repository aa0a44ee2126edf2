//! Finds the user's AWS credentials where AWS's own tools look for them: in variables, then in a profile of the
//! shared files, which may name a program that has them (`credential_process`).
//!
//! They are read anew for each request, as other programs renew them. What a program said is kept until it expires.
//! To sign in (SSO) or to assume a role takes a conversation with AWS: that is left to AWS's own program, behind
//! `credential_process`.

use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_runtime::env_config::section::{EnvConfigSections, Profile};
use aws_runtime::env_config::source;
use aws_types::os_shim_internal::{Env, Fs};
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::sync::Mutex;

use crate::config::Environment;

/// How long a program may take: it may ask its user to touch a key.
const PROGRAM: Duration = Duration::from_secs(60);
/// The most that is read of what it says.
const MOST_SAID: u64 = 64 * 1024;
/// Credentials that expire sooner are fetched anew, so that a request does not arrive after their end.
const SPARE: Duration = Duration::from_secs(60);

/// Why there are no credentials. Never holds what a variable, a file or a program said in their place.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoCredentials {
    /// Nothing is set.
    #[error(
        "no AWS credentials were found: {variables}, and the profile `{profile}` has no keys and no \
         `credential_process` in {files}"
    )]
    Nowhere {
        /// What was made of the variables.
        variables: &'static str,
        /// The profile.
        profile: String,
        /// The files that were read.
        files: String,
    },
    /// The profile has to be signed in to.
    #[error(
        "the AWS profile `{0}` signs in or assumes a role, which AWS's own program has to do: add a profile with \
         `credential_process = aws configure export-credentials --profile {0}` and name it in `aws_profile`"
    )]
    NeedsSigningIn(String),
    /// A file is malformed.
    #[error("AWS's shared files cannot be read: {0}")]
    Malformed(String),
    /// The program could not tell.
    #[error("the `credential_process` of the AWS profile `{profile}` {problem}")]
    Program {
        /// The profile.
        profile: String,
        /// What it did.
        problem: String,
    },
}

/// Where credentials are found.
#[derive(Debug)]
pub(super) struct Keyring {
    environment: Environment,
    /// What the program that was asked last has said. Requests that need it meanwhile wait for the same answer.
    said: Mutex<Option<(Arc<str>, Credentials)>>,
}

impl Keyring {
    pub(super) const fn new(environment: Environment) -> Self {
        Self {
            environment,
            said: Mutex::const_new(None),
        }
    }

    /// The credentials of this profile; without one, those that AWS's own tools would use.
    pub(super) async fn find(
        &self,
        profile: Option<&str>,
        now: SystemTime,
    ) -> Result<Credentials, NoCredentials> {
        let variables = match (profile, self.of_variables()) {
            (None, Some(credentials)) => return Ok(credentials),
            (None, None) => "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set",
            (Some(_), _) => "the mount names an `aws_profile`",
        };
        let sections = self.sections().await?;
        let name = profile.unwrap_or_else(|| sections.selected_profile());
        let found = sections.get_profile(name);
        if let Some(credentials) = found.and_then(of_profile) {
            return Ok(credentials);
        }
        let get = |key| found.and_then(|profile: &Profile| profile.get(key));
        if let Some(program) = get("credential_process") {
            return self.of_program(name, program, now).await;
        }
        let signs_in = ["sso_session", "sso_start_url", "role_arn", "login_session"];
        Err(if signs_in.into_iter().any(|key| get(key).is_some()) {
            NoCredentials::NeedsSigningIn(name.to_owned())
        } else {
            NoCredentials::Nowhere {
                variables,
                profile: name.to_owned(),
                files: self.files(),
            }
        })
    }

    fn of_variables(&self) -> Option<Credentials> {
        keys(
            self.environment.get("AWS_ACCESS_KEY_ID"),
            self.environment.get("AWS_SECRET_ACCESS_KEY"),
            self.environment.get("AWS_SESSION_TOKEN"),
        )
    }

    /// The profiles of the shared files.
    async fn sections(&self) -> Result<EnvConfigSections, NoCredentials> {
        let variables: Vec<_> = self
            .environment
            .pairs()
            .filter(|(_, value)| !value.is_empty())
            .collect();
        let environment = Env::from_slice(&variables);
        let source = source::load(&environment, &Fs::real(), &EnvConfigFiles::default())
            .await
            .map_err(|error| NoCredentials::Malformed(error.to_string()))?;
        EnvConfigSections::parse(source).map_err(|error| NoCredentials::Malformed(error.to_string()))
    }

    /// The shared files, as a person calls them.
    fn files(&self) -> String {
        let file = |variable, usual: &'static str| self.environment.get(variable).unwrap_or(usual);
        let credentials = file("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials");
        let config = file("AWS_CONFIG_FILE", "~/.aws/config");
        format!("{credentials} and {config}")
    }

    async fn of_program(
        &self,
        profile: &str,
        program: &str,
        now: SystemTime,
    ) -> Result<Credentials, NoCredentials> {
        let mut said = self.said.lock().await;
        let is_fresh =
            |credentials: &Credentials| credentials.expiry().is_none_or(|expiry| expiry > now + SPARE);
        if let Some((whose, credentials)) = &*said
            && **whose == *program
            && is_fresh(credentials)
        {
            return Ok(credentials.clone());
        }
        let failed = |problem: String| NoCredentials::Program {
            profile: profile.to_owned(),
            problem,
        };
        let credentials = ask(program).await.map_err(failed)?;
        if credentials.expiry().is_some_and(|expiry| expiry <= now) {
            return Err(failed(
                "gave credentials that have expired: sign in again".to_owned(),
            ));
        }
        *said = Some((program.into(), credentials.clone()));
        Ok(credentials)
    }
}

fn keys(id: Option<&str>, secret: Option<&str>, token: Option<&str>) -> Option<Credentials> {
    let token = token.filter(|token| !token.is_empty()).map(str::to_owned);
    let (id, secret) = (id?.trim(), secret?.trim());
    (!id.is_empty() && !secret.is_empty()).then(|| Credentials::new(id, secret, token, None, "keys"))
}

fn of_profile(profile: &Profile) -> Option<Credentials> {
    keys(
        profile.get("aws_access_key_id"),
        profile.get("aws_secret_access_key"),
        profile.get("aws_session_token"),
    )
}

/// What a `credential_process` prints.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Said {
    version: u32,
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    expiration: Option<jiff::Timestamp>,
}

/// Runs a program as AWS's tools do, in the platform's shell.
async fn ask(program: &str) -> Result<Credentials, String> {
    let (shell, flag) = if cfg!(windows) {
        ("cmd.exe", "/C")
    } else {
        ("sh", "-c")
    };
    let mut child = Command::new(shell)
        .args([flag, program])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("could not be started: {error}"))?;
    let stdout = child.stdout.take();
    let answered = async {
        let said = bounded(stdout).await;
        (said, child.wait().await)
    };
    let (said, status) = tokio::time::timeout(PROGRAM, answered)
        .await
        .map_err(|_| format!("gave no answer within {} s", PROGRAM.as_secs()))?;
    match status {
        Ok(status) if status.success() => {}
        Ok(status) => {
            return Err(format!(
                "failed ({status}): run it by hand to see why, or sign in again"
            ));
        }
        Err(error) => return Err(format!("could not be waited for: {error}")),
    }
    // The parser's words could quote what it was given.
    let said: Said = serde_json::from_slice(&said).map_err(|_| "printed no credentials".to_owned())?;
    if said.version != 1 {
        return Err(format!("printed version {}; 1 is known", said.version));
    }
    let expiry = said.expiration.map(SystemTime::from);
    Ok(Credentials::new(
        said.access_key_id,
        said.secret_access_key,
        said.session_token,
        expiry,
        "credential_process",
    ))
}

async fn bounded(stdout: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut said = Vec::new();
    if let Some(stdout) = stdout {
        // What is missing is no JSON.
        drop(stdout.take(MOST_SAID).read_to_end(&mut said).await);
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A home with these shared files, and the variables that point at it.
    async fn found(
        credentials: &str,
        config: &str,
        profile: Option<&str>,
        more: &[(&str, &str)],
    ) -> Result<(String, Option<String>), NoCredentials> {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".aws")).unwrap();
        std::fs::write(home.path().join(".aws/credentials"), credentials).unwrap();
        std::fs::write(home.path().join(".aws/config"), config).unwrap();
        let home = home.path().to_str().unwrap();
        let pairs = [("HOME", home)].into_iter().chain(more.iter().copied());
        let keyring = Keyring::new(Environment::from_pairs(pairs));
        let credentials = keyring.find(profile, SystemTime::UNIX_EPOCH).await?;
        Ok((
            credentials.access_key_id().to_owned(),
            credentials.session_token().map(str::to_owned),
        ))
    }

    const FILE: &str = "[default]\naws_access_key_id = D\naws_secret_access_key = s\n\n[work]\n\
                        aws_access_key_id=W\naws_secret_access_key=s\naws_session_token=t\n";

    #[tokio::test]
    async fn variables_come_before_profiles_unless_a_profile_is_named() {
        let keys = [("AWS_ACCESS_KEY_ID", "V"), ("AWS_SECRET_ACCESS_KEY", "s")];
        for (profile, variables, expected) in [
            (None, &[][..], "D"),
            (None, &keys[..], "V"),
            (None, &[("AWS_PROFILE", "work")], "W"),
            (None, &keys[..1], "D"),
            (Some("work"), &keys, "W"),
        ] {
            let (id, token) = found(FILE, "", profile, variables).await.unwrap();
            assert_eq!(id, expected);
            assert_eq!(token.is_some(), id == "W");
        }
    }

    #[tokio::test]
    async fn a_profile_may_stand_in_either_file() {
        let config = "[profile other]\naws_access_key_id = O\naws_secret_access_key = s";
        assert_eq!(found(FILE, config, Some("other"), &[]).await.unwrap().0, "O");
    }

    #[tokio::test]
    async fn what_is_missing_says_where_it_was_looked_for() {
        let nowhere = found("", "", None, &[]).await.unwrap_err().to_string();
        for part in [
            "AWS_ACCESS_KEY_ID",
            "`default`",
            "~/.aws/credentials",
            "~/.aws/config",
        ] {
            assert!(nowhere.contains(part), "{nowhere}");
        }
        let sso = "[profile dev]\nsso_session = corp\n[sso-session corp]\nsso_region = us-east-1";
        assert_eq!(
            found(FILE, sso, Some("dev"), &[]).await,
            Err(NoCredentials::NeedsSigningIn("dev".to_owned()))
        );
        let elsewhere = [("AWS_SHARED_CREDENTIALS_FILE", "/nowhere/keys")];
        let error = found("", "", Some("x"), &elsewhere).await.unwrap_err();
        assert!(error.to_string().contains("/nowhere/keys"), "{error}");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_program_may_have_the_keys() {
        let process = |script: &str| format!("[default]\ncredential_process = {script}");
        let said = |expiration: &str| {
            process(&format!(
                r#"echo '{{"Version":1,"AccessKeyId":"P","SecretAccessKey":"s","SessionToken":"t"{expiration}}}'"#
            ))
        };
        let id = |found: Result<(String, Option<String>), NoCredentials>| found.map(|(id, _)| id);
        assert_eq!(id(found("", &said(""), None, &[]).await).unwrap(), "P");
        let later = said(r#","Expiration":"2999-01-01T00:00:00Z""#);
        assert_eq!(id(found("", &later, None, &[]).await).unwrap(), "P");
        for (config, expected) in [
            (said(r#","Expiration":"1969-01-01T00:00:00Z""#), "have expired"),
            (process("exit 3"), "failed (exit status: 3)"),
            (process("echo secret"), "printed no credentials"),
            (
                process(r#"echo '{"Version":2,"AccessKeyId":"P","SecretAccessKey":"s"}'"#),
                "printed version 2",
            ),
        ] {
            let error = found("", &config, None, &[]).await.unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_program_is_asked_again_when_what_it_said_expires() {
        let home = tempfile::tempdir().unwrap();
        let log = home.path().join("log");
        let config = home.path().join("config");
        let program = format!(
            "[default]\ncredential_process = echo x >> {} && echo '{{\"Version\":1,\"AccessKeyId\":\"P\",\
             \"SecretAccessKey\":\"s\",\"Expiration\":\"2030-01-01T00:00:00Z\"}}'",
            log.display()
        );
        std::fs::write(&config, program).unwrap();
        let pairs = [
            ("AWS_CONFIG_FILE", config.to_str().unwrap()),
            ("AWS_SHARED_CREDENTIALS_FILE", "/nowhere"),
        ];
        let keyring = Keyring::new(Environment::from_pairs(pairs));
        let end = SystemTime::from("2030-01-01T00:00:00Z".parse::<jiff::Timestamp>().unwrap());
        for (now, expected) in [
            (SystemTime::UNIX_EPOCH, 1),
            (end - Duration::from_secs(61), 1),
            (end - Duration::from_secs(59), 2),
        ] {
            keyring.find(None, now).await.unwrap();
            assert_eq!(std::fs::read_to_string(&log).unwrap().lines().count(), expected);
        }
    }

    #[tokio::test]
    async fn secrets_are_not_shown() {
        let pairs = [("AWS_ACCESS_KEY_ID", "V"), ("AWS_SECRET_ACCESS_KEY", "hush-hush")];
        let keyring = Keyring::new(Environment::from_pairs(pairs));
        let credentials = keyring.find(None, SystemTime::UNIX_EPOCH).await.unwrap();
        *keyring.said.lock().await = Some(("x".into(), credentials));
        assert!(!format!("{keyring:?}").contains("hush"));
    }
}
