//! Finds the model that a multipart form names, as the form passes: uploads of sound and images name it there.
//!
//! It looks for the field's header and takes the line behind it (RFC 7578 §4). Nothing else of the form is kept.

use memchr::memmem;

/// A part's header, as all the providers' clients write it. The space tells it from `filename="model"`.
const FIELD: &[u8] = br#" name="model""#;

/// The most that is held of the field: the rest of its headers, and its value.
const LONGEST_FIELD: usize = 512;

/// Looks for the field; see the module.
#[derive(Debug, Default)]
pub(super) struct FormModel {
    /// The field's header has come.
    in_field: bool,
    /// The field has been read, or given up.
    over: bool,
    held: Vec<u8>,
}

impl FormModel {
    /// Looks at the next piece; the model, once.
    pub(super) fn push(&mut self, mut bytes: &[u8]) -> Option<Box<str>> {
        if self.over {
            return None;
        }
        if !self.in_field {
            bytes = self.search(bytes)?;
            self.in_field = true;
            self.held.clear();
        }
        let free = LONGEST_FIELD - self.held.len();
        self.held.extend_from_slice(&bytes[..free.min(bytes.len())]);
        let value = value(&self.held);
        self.over = value.is_some() || self.held.len() == LONGEST_FIELD;
        value?
    }

    /// What follows the field's name, which may lie across two pieces.
    fn search<'b>(&mut self, bytes: &'b [u8]) -> Option<&'b [u8]> {
        let before = self.held.len();
        let seam = bytes.len().min(FIELD.len() - 1);
        self.held.extend_from_slice(&bytes[..seam]);
        if let Some(at) = memmem::find(&self.held, FIELD) {
            return bytes.get(at + FIELD.len() - before..);
        }
        if let Some(at) = memmem::find(bytes, FIELD) {
            return bytes.get(at + FIELD.len()..);
        }
        let tail = if bytes.len() > seam { bytes } else { &self.held };
        self.held = tail[tail.len().saturating_sub(FIELD.len() - 1)..].to_vec();
        None
    }
}

/// The line behind the part's headers, if it has ended: the model, or nothing where it is none.
fn value(field: &[u8]) -> Option<Option<Box<str>>> {
    const HEADERS_END: &[u8] = b"\r\n\r\n";
    let start = memmem::find(field, HEADERS_END)? + HEADERS_END.len();
    let end = memmem::find(&field[start..], b"\r\n")?;
    let model = str::from_utf8(&field[start..start + end]).ok();
    Some(model.filter(|model| !model.is_empty()).map(Into::into))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'b>(pieces: impl IntoIterator<Item = &'b [u8]>) -> Option<Box<str>> {
        let mut form = FormModel::default();
        let found: Vec<_> = pieces.into_iter().filter_map(|piece| form.push(piece)).collect();
        assert!(found.len() < 2, "it is found once");
        found.into_iter().next()
    }

    #[test]
    fn the_model_is_found_wherever_the_form_is_cut() {
        let part = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n";
        let file =
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"model\"\r\n\r\nRIFF\0\r\n";
        for (form, expected) in [
            (
                format!("{file}{part}\r\nwhisper-1\r\n--b--\r\n"),
                Some("whisper-1"),
            ),
            (
                format!("{part}\r\nwhisper-1\r\n{part}\r\nother\r\n"),
                Some("whisper-1"),
            ),
            (
                format!("{part}Content-Type: text/plain\r\n\r\nnova\r\n{file}"),
                Some("nova"),
            ),
            (format!("{part}\r\n\r\n{file}"), None),
            (format!("{part}\r\nwhisper"), None),
            (format!("{part}\r\n{}\r\n", "x".repeat(600)), None),
            (file.to_owned(), None),
            (String::new(), None),
        ] {
            let form = form.as_bytes();
            assert_eq!(read([form]).as_deref(), expected);
            for size in 1..40 {
                assert_eq!(
                    read(form.chunks(size)).as_deref(),
                    expected,
                    "in pieces of {size}"
                );
            }
        }
    }
}
