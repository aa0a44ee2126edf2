//! Exports of Moonlock: they go to the running one as they are, which takes them apart.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use serde::Deserialize;
use serde_json::json;

use super::{Import, TOO_OLD, progress_bar};
use crate::cli::client::Client;
use crate::cli::exit::Failure;
use crate::cli::print::{WARNING, count, plain, styled};
use crate::cli::say;
use crate::domain::wire::{ImportedExport, ImportedThings};

/// What every export has in its first line, or near its beginning.
const MARK: &[u8] = b"\"moonlock.export\"";
/// So many bytes are looked at for it.
const BEGINNING: u64 = 4_096;
/// So many bytes are sent at once.
const PIECE: usize = 64 * 1024;

/// An export.
pub(super) struct Export {
    path: PathBuf,
    /// Its media type.
    kind: &'static str,
}

/// The exports among files, and the others.
pub(super) fn among(files: &[PathBuf]) -> (Vec<Export>, Vec<&Path>) {
    let (mut exports, mut others) = (Vec::new(), Vec::new());
    for path in files {
        match kind(path) {
            Some(kind) => exports.push(Export {
                path: path.clone(),
                kind,
            }),
            None => others.push(path.as_path()),
        }
    }
    (exports, others)
}

/// The media type of an export; `None`: it is none.
fn kind(path: &Path) -> Option<&'static str> {
    /// The first line of JSON lines, which a document's is not.
    #[derive(Deserialize)]
    struct First {
        r#type: String,
    }
    let mut text = Vec::new();
    File::open(path)
        .ok()?
        .take(BEGINNING)
        .read_to_end(&mut text)
        .ok()?;
    memchr::memmem::find(&text, MARK)?;
    let line = text.split(|byte| *byte == b'\n').next()?;
    let first = serde_json::from_slice::<First>(line);
    Some(match first.is_ok_and(|first| first.r#type == "export") {
        true => "application/jsonl",
        false => "application/json",
    })
}

pub(super) async fn import(client: &Client, arguments: &Import, export: &Export) -> Result<(), Failure> {
    let failed = |error| Failure::run(&format_args!("{} cannot be read: {error}", export.path.display()));
    let file = File::open(&export.path).map_err(failed)?;
    let bar = progress_bar(file.metadata().map_err(failed)?.len());
    let sent = bar.clone();
    // Read here and not on another thread: a piece comes from the machine's own memory or the next sector.
    let pieces = stream::try_unfold(file, move |mut file| {
        let mut piece = vec![0; PIECE];
        let read = file.read(&mut piece);
        let sent = sent.clone();
        async move {
            let length = read?;
            sent.inc(length as u64);
            piece.truncate(length);
            Ok((length > 0).then(|| (Frame::data(Bytes::from(piece)), file)))
        }
    });
    let path = format!("/api/import?dryRun={}", arguments.dry_run);
    let body = StreamBody::new(pieces).boxed_unsync();
    let said: Result<ImportedExport, _> = client.upload(&path, export.kind, body).await;
    bar.finish_and_clear();
    report(arguments, export, &said?);
    Ok(())
}

fn report(arguments: &Import, export: &Export, said: &ImportedExport) {
    if arguments.json {
        let mut line = json!(said);
        line["file"] = json!(export.path.display().to_string());
        line["dryRun"] = json!(arguments.dry_run);
        say(&line.to_string());
        return;
    }
    let would = if arguments.dry_run { "would be " } else { "" };
    let counts = |things: ImportedThings| {
        let ImportedThings { new, known, refused } = things;
        let mut text = format!("{} {would}taken in, {} known", count(new), count(known));
        if refused > 0 {
            text.push_str(&format!(", {} not usable", count(refused)));
        }
        text
    };
    say(&export.path.display().to_string());
    say(&format!("  sessions: {}", counts(said.sessions)));
    say(&format!("  calls:    {}", counts(said.calls)));
    if said.too_old > 0 {
        say(&format!("            {} {TOO_OLD}", count(said.too_old)));
    }
    if said.missing > 0 {
        let missing = format!("{} calls are missing: the file was cut off", count(said.missing));
        say(&format!("  {}", styled(WARNING, &missing)));
    }
    for refused in &said.refused {
        say(&format!(
            "  {}: {}",
            plain(&refused.place),
            plain(&refused.problem)
        ));
    }
    let named = said.refused.len() as u64;
    let all = said.sessions.refused + said.calls.refused;
    if all > named {
        say(&format!("  and {} more", count(all - named)));
    }
}
