//! What images, sound and films cost in tokens, as far as the request shows them.

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::Unseen;
use super::model::{ImageRule, Profile};
use super::tally::Tally;

/// How closely OpenAI's models are asked to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    /// At the smallest price.
    Low,
    /// As closely as the model can, which is also what happens if nobody asks.
    High,
}

/// An image's size in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) width: u64,
    pub(super) height: u64,
}

/// What is taken for an image whose size is unknown.
const TYPICAL: Size = Size {
    width: 1024,
    height: 1024,
};

/// So much of an image's base64 holds its size, if anything does: a JPEG may have a preview before it.
const HEAD: usize = 96 * 1024;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The beginning of what a base64 text holds.
fn head(text: &str) -> Option<Vec<u8>> {
    let clean: Vec<u8> = text
        .bytes()
        .take(HEAD)
        .map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        })
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let whole = if text.len() > HEAD {
        clean.len() / 4 * 4
    } else {
        clean.len()
    };
    BASE64.decode(&clean[..whole]).ok()
}

/// The base64 text of a data URL.
pub(super) fn data_url(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("data:")?;
    let (label, data) = rest.split_once(',')?;
    label.ends_with("base64").then_some(data)
}

/// An image's size, from the beginning of its base64 text.
pub(super) fn size(base64: &str) -> Option<Size> {
    let size = imagesize::blob_size(&head(base64)?).ok()?;
    let (width, height) = (u64::try_from(size.width).ok()?, u64::try_from(size.height).ok()?);
    // Larger ones are mistakes: no provider takes them.
    (width > 0 && height > 0 && width <= 1 << 20 && height <= 1 << 20).then_some(Size { width, height })
}

impl Tally<'_> {
    /// Adds an image given by a URL, which may hold it.
    pub(super) fn image_url(&mut self, url: &str, detail: Detail) {
        match data_url(url) {
            Some(data) => self.image_data(data, detail),
            None => {
                self.image += cost(self.profile, TYPICAL, detail);
                self.miss(Unseen::RemoteMedia);
            }
        }
    }

    /// Adds an image given as base64.
    pub(super) fn image_data(&mut self, base64: &str, detail: Detail) {
        let size = size(base64);
        self.image += cost(self.profile, size.unwrap_or(TYPICAL), detail);
        if size.is_none() {
            self.miss(Unseen::RemoteMedia);
        }
    }

    /// Adds sound given as base64, at a number of tokens a second.
    pub(super) fn sound(&mut self, base64: &str, format: &str, tokens_a_second: u64) {
        let bytes = base64.len() as u64 / 4 * 3;
        let wave = head(base64).and_then(|head| wave_bytes_a_second(&head));
        let a_second = wave.unwrap_or_else(|| {
            // Usual rates: speech as MP3 or AAC has 64 kbit/s, Opus half of that, raw PCM 24 kHz at 16 bits.
            if format.contains("pcm") || format.contains("wav") || format.contains("l16") {
                48_000
            } else if format.contains("opus") || format.contains("ogg") || format.contains("webm") {
                4_000
            } else {
                8_000
            }
        });
        if wave.is_none() {
            self.miss(Unseen::RemoteMedia);
        }
        self.audio += (bytes * tokens_a_second).div_ceil(a_second.max(1));
    }

    /// Adds a film: its length is not to be seen in its bytes, so a minute of 1 Mbit/s is taken for 7.5 MB.
    pub(super) fn film(&mut self, base64: &str, tokens_a_second: u64) {
        let bytes = base64.len() as u64 / 4 * 3;
        self.image += bytes / 125_000 * tokens_a_second + tokens_a_second;
        self.miss(Unseen::RemoteMedia);
    }
}

/// The bytes a second of a WAV file: the field at offset 28 of its header.
fn wave_bytes_a_second(head: &[u8]) -> Option<u64> {
    if !head.starts_with(b"RIFF") || head.get(8..12)? != b"WAVE" {
        return None;
    }
    let rate = u32::from_le_bytes(head.get(28..32)?.try_into().ok()?);
    (rate > 0).then_some(u64::from(rate))
}

/// What an image costs.
pub(super) fn cost(profile: &Profile, size: Size, detail: Detail) -> u64 {
    match profile.image {
        ImageRule::Tiles { base, .. } if detail == Detail::Low => base,
        ImageRule::Tiles { base, tile } => {
            let Size { width, height } = short_side(shrink(size, 2048), 768);
            base + tile * width.div_ceil(512) * height.div_ceil(512)
        }
        ImageRule::Patches { factor, most } => {
            let size = if detail == Detail::Low {
                shrink(size, 512)
            } else {
                size
            };
            factor.of(patches(size, most)) + 1
        }
        ImageRule::Claude { longest, most } => {
            let mut size = shrink(size, longest);
            let squares = |size: Size| size.width.div_ceil(28) * size.height.div_ceil(28);
            while squares(size) > most {
                size = shrink(size, size.width.max(size.height) * 99 / 100);
            }
            squares(size)
        }
        ImageRule::Gemini if size.width <= 384 && size.height <= 384 => 258,
        ImageRule::Gemini => {
            // Tiles are squares of a third of twice the short side, between 256 and 768 pixels.
            let side = (size.width.min(size.height) * 2 / 3).clamp(256, 768);
            258 * size.width.div_ceil(side) * size.height.div_ceil(side)
        }
        ImageRule::Flat(tokens) => tokens,
    }
}

/// Scales a size down until its long side fits.
fn shrink(size: Size, longest: u64) -> Size {
    let long = size.width.max(size.height);
    if long <= longest {
        size
    } else {
        scale(size, longest, long)
    }
}

/// Scales a size down until its short side fits.
fn short_side(size: Size, shortest: u64) -> Size {
    let short = size.width.min(size.height);
    if short <= shortest {
        size
    } else {
        scale(size, shortest, short)
    }
}

fn scale(size: Size, to: u64, from: u64) -> Size {
    Size {
        width: (size.width * to / from).max(1),
        height: (size.height * to / from).max(1),
    }
}

/// Squares of 32 that cover an image, which is scaled down where they would be too many.
fn patches(size: Size, most: u64) -> u64 {
    let all = size.width.div_ceil(32) * size.height.div_ceil(32);
    if all <= most {
        return all;
    }
    let (width, height) = (size.width as f64, size.height as f64);
    let shrink = (1024.0 * most as f64 / (width * height)).sqrt();
    let (across, down) = (width * shrink / 32.0, height * shrink / 32.0);
    // Scaled once more, so that a whole number of squares fits on the side that has the smaller rest.
    let fit = (across.floor() / across).min(down.floor() / down);
    let squares = (across * fit).ceil() * (down * fit).ceil();
    (squares as u64).min(most)
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn of(model: &str, width: u64, height: u64) -> u64 {
        cost(Profile::of(model), Size { width, height }, Detail::High)
    }

    #[test]
    fn images_cost_what_was_measured_or_documented() {
        for (model, width, height, expected) in [
            ("gpt-4o", 640, 480, 425),
            ("gpt-4o", 1024, 1024, 765),
            ("gpt-4o", 2048, 4096, 1105),
            ("gpt-4o-mini", 640, 480, 14_167),
            ("gpt-5", 512, 640, 350),
            ("o4-mini", 640, 480, 517),
            ("gpt-4.1-nano", 320, 640, 493),
            ("claude-sonnet-4-5", 1092, 1092, 1521),
            ("gemini-2.5-flash", 300, 200, 258),
            ("gemini-2.5-flash", 960, 540, 1548),
            ("gemini-3-pro", 960, 540, 1100),
        ] {
            assert_eq!(of(model, width, height), expected, "{model} {width}x{height}");
        }
        let low = cost(
            Profile::of("gpt-4o"),
            Size {
                width: 4000,
                height: 4000,
            },
            Detail::Low,
        );
        assert_eq!(low, 85);
    }

    #[test]
    fn a_huge_image_costs_no_more_than_the_most() {
        assert!(of("o4-mini", 20_000, 20_000) <= 1720 * 1536 / 1000 + 1);
        assert!(of("claude-sonnet-4-5", 1 << 20, 1 << 20) <= 1600);
        assert!(of("claude-sonnet-4-5", 1 << 20, 1) <= 1600);
    }

    #[test]
    fn a_size_is_read_from_the_beginning_of_the_file() {
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        png.extend_from_slice(&640_u32.to_be_bytes());
        png.extend_from_slice(&480_u32.to_be_bytes());
        png.extend_from_slice(&[8, 6, 0, 0, 0, 0, 0, 0, 0]);
        let text = STANDARD.encode(&png);
        let expected = Size {
            width: 640,
            height: 480,
        };
        assert_eq!(size(&text), Some(expected));
        let mut long = png.clone();
        long.resize(500_000, 7);
        assert_eq!(size(&STANDARD.encode(long)), Some(expected));
        assert_eq!(size("no image"), None);
        assert_eq!(data_url("data:image/png;base64,AAAA"), Some("AAAA"));
        assert_eq!(data_url("https://example.org/a.png"), None);
    }

    #[test]
    fn a_wave_file_says_how_long_it_sounds() {
        let mut wave = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
        wave.extend_from_slice(&16_000_u32.to_le_bytes());
        wave.extend_from_slice(&32_000_u32.to_le_bytes());
        assert_eq!(wave_bytes_a_second(&wave), Some(32_000));
        assert_eq!(wave_bytes_a_second(b"RIFF"), None);
    }
}
