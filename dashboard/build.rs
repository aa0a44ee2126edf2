//! Builds the dashboard with npm and tells the crate which folder to embed.
//!
//! The crate always builds: where the dashboard cannot be built, a page that says how to get it takes its
//! place. What is embedded is a copy in `OUT_DIR`, so that builds side by side never see a half-written folder.

use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;
use std::{env, io};

/// What the dashboard is made from, relative to its folder.
const SOURCES: [&str; 8] = [
    "src",
    "public",
    "index.html",
    "package.json",
    "package-lock.json",
    ".npmrc",
    "tsconfig.json",
    "vite.config.ts",
];

const PLACEHOLDER: &str = r#"<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <meta name="color-scheme" content="light dark">
    <title>Moonlock</title>
  </head>
  <body>
    <h1>Moonlock</h1>
    <p>This build has no dashboard. The proxy, the API and the command line work all the same.</p>
    <p>To have it, install Node.js 20 or newer and build again: <code>cargo clean -p moonlock</code>, then
      <code>cargo build</code>.</p>
  </body>
</html>
"#;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

pub(crate) fn embed() -> Result<()> {
    let dashboard =
        PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo names no package")?).join("dashboard");
    let embedded =
        PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo names no output folder")?).join("dashboard");

    println!("cargo:rerun-if-env-changed=MOONLOCK_SKIP_DASHBOARD");
    println!("cargo:rerun-if-changed=dashboard/build.rs");
    for source in SOURCES.iter().filter(|source| dashboard.join(source).exists()) {
        println!("cargo:rerun-if-changed=dashboard/{source}");
    }

    if embedded.exists() {
        fs::remove_dir_all(&embedded)?;
    }
    let state = if is_skipped() {
        write_placeholder(&embedded)?;
        "missing"
    } else if let Err(error) = build(&dashboard).and_then(|dist| copy(&dist, &embedded)) {
        println!("cargo:warning=the dashboard was not built: {error}");
        println!(
            "cargo:warning=to have it: install Node.js 20 or newer, `cargo clean -p moonlock`, build again"
        );
        if embedded.exists() {
            fs::remove_dir_all(&embedded)?;
        }
        write_placeholder(&embedded)?;
        "missing"
    } else {
        "built"
    };
    println!("cargo:rustc-env=MOONLOCK_DASHBOARD_DIR={}", embedded.display());
    println!("cargo:rustc-env=MOONLOCK_DASHBOARD={state}");
    Ok(())
}

fn is_skipped() -> bool {
    env::var_os("MOONLOCK_SKIP_DASHBOARD").is_some_and(|value| !value.is_empty() && value != "0")
}

fn write_placeholder(embedded: &Path) -> Result<()> {
    fs::create_dir_all(embedded)?;
    fs::write(embedded.join("index.html"), PLACEHOLDER)?;
    Ok(())
}

/// Brings `dist` up to date, and returns it.
fn build(dashboard: &Path) -> Result<PathBuf> {
    let dist = dashboard.join("dist");
    // Two cargos (debug and release, an editor's and one's own) must not run npm in one folder at a time.
    let work = dashboard.join(".vite");
    fs::create_dir_all(&work)?;
    let lock = File::create(work.join("build.lock"))?;
    lock.lock()?;

    // The stamp is as old as the start of the build it stands for: what is saved meanwhile is newer.
    let stamp = work.join("build.stamp");
    let built_at = if dist.join("index.html").exists() {
        modified(&stamp)
    } else {
        None
    };
    if built_at.is_some_and(|built_at| newest_source(dashboard).is_some_and(|newest| newest < built_at)) {
        return Ok(dist);
    }
    let begun = work.join("build.begun");
    File::create(&begun)?;
    if modified(&dashboard.join("node_modules/.package-lock.json"))
        < modified(&dashboard.join("package-lock.json"))
    {
        // Not waiting long for a network that is not there.
        npm(
            dashboard,
            &[
                "ci",
                "--include=dev",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--prefer-offline",
                "--fetch-retries=1",
            ],
        )?;
    }
    npm(dashboard, &["run", "build", "--silent"])?;
    fs::rename(&begun, &stamp)?;
    Ok(dist)
}

fn npm(dashboard: &Path, arguments: &[&str]) -> Result<()> {
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let output = Command::new(program)
        .args(arguments)
        .current_dir(dashboard)
        .output()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => "npm was not found".to_owned(),
            _ => format!("npm could not be run: {error}"),
        })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    // Cargo takes a warning of one line.
    let reason = said
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("npm warn"))
        .take(6)
        .collect::<Vec<_>>()
        .join(" | ");
    Err(format!("`npm {}` failed: {reason}", arguments.join(" ")).into())
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

fn newest_source(dashboard: &Path) -> Option<SystemTime> {
    SOURCES
        .iter()
        .filter_map(|source| newest(&dashboard.join(source)))
        .max()
}

/// The newest change at or below `path`. A folder's own counts too: it tells of a file that was removed.
fn newest(path: &Path) -> Option<SystemTime> {
    let below = fs::read_dir(path)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| newest(&entry.path()));
    modified(path).into_iter().chain(below).max()
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
