//! Undoes a content-encoding beside the bytes that pass, in constant memory.

use bytes::Bytes;
use compression_codecs::core::util::{PartialBuffer, WriteBuffer};
use compression_codecs::zstd::params::DParameter;
use compression_codecs::{BrotliDecoder, DecodeV2, DeflateDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder};

use super::keep::Keep;

/// So much is decoded at once.
const BUFFER: usize = 16 * 1024;
/// The most that one body may decode to before it is taken for a decompression bomb.
const MOST_DECODED: u64 = 256 << 20;

/// The largest window that a zstd stream over HTTP may ask for: 8 MiB (RFC 9659).
const ZSTD_WINDOW_LOG: u32 = 23;

/// A body that could not be decoded to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Undecodable {
    /// The encoding is none that is known here.
    #[error("unknown content-encoding")]
    Unknown,
    /// The bytes are not of their encoding.
    #[error("the body is not of its content-encoding")]
    Corrupt,
    /// It decodes to more than is plausible.
    #[error("the body decodes to more than 256 MiB")]
    Bomb,
}

/// Decodes a body as it passes.
pub(super) struct Decoder {
    codec: Codec,
    decoded: u64,
}

enum Codec {
    Identity,
    Gzip(Box<GzipDecoder>),
    /// `deflate` is zlib by RFC 9110, but some send it without zlib's header: the first byte tells.
    DeflateUnseen,
    Zlib(Box<ZlibDecoder>),
    Deflate(Box<DeflateDecoder>),
    Brotli(Box<BrotliDecoder>),
    Zstd(Box<ZstdDecoder>),
    Failed(Undecodable),
}

impl Decoder {
    /// A decoder for the value of a `content-encoding` header.
    pub(super) fn new(encoding: Option<&str>) -> Self {
        let codec = match encoding.map(str::trim).unwrap_or_default() {
            name if name.is_empty() || name.eq_ignore_ascii_case("identity") => Codec::Identity,
            name if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") => {
                Codec::Gzip(Box::default())
            }
            name if name.eq_ignore_ascii_case("deflate") => Codec::DeflateUnseen,
            name if name.eq_ignore_ascii_case("br") => Codec::Brotli(Box::default()),
            name if name.eq_ignore_ascii_case("zstd") => {
                let window = DParameter::window_log_max(ZSTD_WINDOW_LOG);
                Codec::Zstd(Box::new(ZstdDecoder::new_with_params(&[window])))
            }
            _ => Codec::Failed(Undecodable::Unknown),
        };
        Self { codec, decoded: 0 }
    }

    /// Decodes the next piece, and keeps what it gives: without a copy, where nothing has to be undone.
    pub(super) fn push_keeping(
        &mut self,
        bytes: &Bytes,
        keep: Option<&mut Keep>,
        mut out: impl FnMut(&[u8]),
    ) -> Result<(), Undecodable> {
        match keep {
            None => self.push(bytes, out),
            Some(keep) if matches!(self.codec, Codec::Identity) => {
                keep.push(bytes);
                self.push(bytes, out)
            }
            Some(keep) => self.push(bytes, |decoded| {
                keep.copy(decoded);
                out(decoded);
            }),
        }
    }

    /// Decodes the next piece and hands on what it gives. After a failure nothing more comes.
    pub(super) fn push(&mut self, bytes: &[u8], mut out: impl FnMut(&[u8])) -> Result<(), Undecodable> {
        // Some codecs take it for a failure if there is nothing to do.
        let Some(first) = bytes.first() else {
            return Ok(());
        };
        if matches!(self.codec, Codec::DeflateUnseen) {
            // RFC 1950: the low four bits of zlib's first byte are 8, the high four at most 7.
            let is_zlib = first & 0x0f == 8 && first >> 4 <= 7;
            self.codec = if is_zlib {
                Codec::Zlib(Box::default())
            } else {
                Codec::Deflate(Box::default())
            };
        }
        let decoded = match &mut self.codec {
            Codec::Identity => {
                out(bytes);
                return Ok(());
            }
            Codec::DeflateUnseen => Ok(()),
            Codec::Failed(why) => Err(*why),
            Codec::Gzip(codec) => run(&mut **codec, bytes, &mut self.decoded, out),
            Codec::Zlib(codec) => run(&mut **codec, bytes, &mut self.decoded, out),
            Codec::Deflate(codec) => run(&mut **codec, bytes, &mut self.decoded, out),
            Codec::Brotli(codec) => run(&mut **codec, bytes, &mut self.decoded, out),
            Codec::Zstd(codec) => run(&mut **codec, bytes, &mut self.decoded, out),
        };
        decoded.inspect_err(|why| self.codec = Codec::Failed(*why))
    }
}

fn run(
    codec: &mut impl DecodeV2,
    bytes: &[u8],
    decoded: &mut u64,
    mut out: impl FnMut(&[u8]),
) -> Result<(), Undecodable> {
    let mut input = PartialBuffer::new(bytes);
    let mut buffer = [0; BUFFER];
    loop {
        let before = input.written_len();
        let mut output = WriteBuffer::new_initialized(&mut buffer);
        // Whatever filled the buffer to its end may have more to give; that there was no more is a failure to some codecs.
        let had_all = input.unwritten().is_empty();
        let ended = match codec.decode(&mut input, &mut output) {
            Ok(ended) => ended,
            Err(_) if had_all => return Ok(()),
            Err(_) => return Err(Undecodable::Corrupt),
        };
        let written = output.written_len();
        *decoded += written as u64;
        if *decoded > MOST_DECODED {
            return Err(Undecodable::Bomb);
        }
        if written > 0 {
            out(&buffer[..written]);
        }
        let empty = input.unwritten().is_empty();
        if ended {
            if empty {
                return Ok(());
            }
            // Several members one after the other make one body (RFC 1952 §2.2, RFC 8878 §3.1).
            codec.reinit().map_err(|_| Undecodable::Corrupt)?;
        } else if (empty && written < buffer.len()) || (written == 0 && input.written_len() == before) {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use compression_codecs::brotli::params::EncoderParams;
    use compression_codecs::flate::params::FlateEncoderParams;
    use compression_codecs::{BrotliEncoder, EncodeV2, GzipEncoder, ZstdEncoder};
    use compression_codecs::{DeflateEncoder as DeflateStream, ZlibEncoder as ZlibStream};
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use std::io::Write;

    fn text() -> Vec<u8> {
        (0..3000)
            .flat_map(|n| format!("data: {{\"n\":{n}}}\n\n").into_bytes())
            .collect()
    }

    fn encode(encoder: &mut impl EncodeV2, bytes: &[u8]) -> Vec<u8> {
        let mut buffer = vec![0; bytes.len() + 4096];
        let mut output = WriteBuffer::new_initialized(&mut buffer);
        encoder
            .encode(&mut PartialBuffer::new(bytes), &mut output)
            .unwrap();
        while !encoder.finish(&mut output).unwrap() {}
        let written = output.written_len();
        buffer.truncate(written);
        buffer
    }

    pub(crate) fn all_encodings(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
        let level = Compression::default();
        let mut gzip = GzEncoder::new(Vec::new(), level);
        gzip.write_all(bytes).unwrap();
        let mut zlib = ZlibEncoder::new(Vec::new(), level);
        zlib.write_all(bytes).unwrap();
        let mut raw = DeflateEncoder::new(Vec::new(), level);
        raw.write_all(bytes).unwrap();
        vec![
            ("identity", bytes.to_vec()),
            ("gzip", gzip.finish().unwrap()),
            ("deflate", zlib.finish().unwrap()),
            ("deflate", raw.finish().unwrap()),
            (
                "br",
                encode(&mut BrotliEncoder::new(EncoderParams::default()), bytes),
            ),
            ("zstd", encode(&mut ZstdEncoder::new(3), bytes)),
        ]
    }

    #[test]
    fn every_encoding_is_undone_however_it_is_split() {
        for (name, encoded) in all_encodings(&text()) {
            for size in [1, 7, 1000, encoded.len()] {
                let mut decoder = Decoder::new(Some(name));
                let mut decoded = Vec::new();
                for piece in encoded.chunks(size) {
                    decoder
                        .push(piece, |bytes| decoded.extend_from_slice(bytes))
                        .unwrap();
                }
                assert_eq!(decoded, text(), "{name} in pieces of {size}");
            }
        }
    }

    #[test]
    fn a_piece_of_no_bytes_changes_nothing() {
        for (name, encoded) in all_encodings(b"data: x\n") {
            let mut decoder = Decoder::new(Some(name));
            let mut decoded = Vec::new();
            for byte in &encoded {
                for piece in [std::slice::from_ref(byte), &[]] {
                    decoder
                        .push(piece, |bytes| decoded.extend_from_slice(bytes))
                        .unwrap();
                }
            }
            assert_eq!(decoded, b"data: x\n", "{name}");
        }
    }

    /// Pieces as a server sends them that compresses what it has and flushes.
    fn flushed(encoder: &mut impl EncodeV2, pieces: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let mut buffer = vec![0; 64 * 1024];
        let encode = |piece: &Vec<u8>| {
            let mut output = WriteBuffer::new_initialized(&mut buffer);
            let mut input = PartialBuffer::new(&**piece);
            encoder.encode(&mut input, &mut output).unwrap();
            while !encoder.flush(&mut output).unwrap() {}
            let written = output.written_len();
            assert_eq!(input.written_len(), piece.len());
            buffer[..written].to_vec()
        };
        pieces.iter().map(encode).collect()
    }

    #[test]
    fn a_piece_that_fills_the_buffer_to_its_end_is_undone() {
        let number = |n: usize| u8::try_from(n * n % 251).unwrap();
        for size in [BUFFER - 1, BUFFER, BUFFER + 1, 2 * BUFFER, 3 * BUFFER] {
            let pieces: Vec<Vec<u8>> = (0..3).map(|at| (at..at + size).map(number).collect()).collect();
            let level = FlateEncoderParams::from(Compression::default());
            for (name, encoded) in [
                ("gzip", flushed(&mut GzipEncoder::new(level.clone()), &pieces)),
                ("deflate", flushed(&mut ZlibStream::new(level.clone()), &pieces)),
                ("deflate", flushed(&mut DeflateStream::new(level), &pieces)),
                (
                    "br",
                    flushed(&mut BrotliEncoder::new(EncoderParams::default()), &pieces),
                ),
                ("zstd", flushed(&mut ZstdEncoder::new(3), &pieces)),
            ] {
                let mut decoder = Decoder::new(Some(name));
                for (piece, encoded) in pieces.iter().zip(encoded) {
                    let mut decoded = Vec::new();
                    let pushed = decoder.push(&encoded, |bytes| decoded.extend_from_slice(bytes));
                    assert_eq!(pushed, Ok(()), "{name} in pieces of {size}");
                    assert!(decoded == *piece, "{name} in pieces of {size}");
                }
            }
        }
    }

    #[test]
    fn members_one_after_the_other_are_one_body() {
        let (_, one) = all_encodings(b"abc").swap_remove(1);
        let mut decoded = Vec::new();
        let twice = [&*one, &*one].concat();
        Decoder::new(Some("gzip"))
            .push(&twice, |bytes| decoded.extend_from_slice(bytes))
            .unwrap();
        assert_eq!(decoded, b"abcabc");
    }

    #[test]
    fn what_cannot_be_decoded_is_an_error_and_stays_one() {
        for name in ["gzip", "br", "zstd"] {
            let mut decoder = Decoder::new(Some(name));
            let garbage = [0xff; 4000];
            assert_eq!(
                decoder.push(&garbage, |_| ()),
                Err(Undecodable::Corrupt),
                "{name}"
            );
            assert_eq!(decoder.push(b"more", |_| ()), Err(Undecodable::Corrupt), "{name}");
        }
        assert_eq!(
            Decoder::new(Some("lzma")).push(b"x", |_| ()),
            Err(Undecodable::Unknown)
        );
    }

    #[test]
    fn a_bomb_is_cut_off() {
        let zeros = vec![0_u8; 1 << 20];
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        for _ in 0..300 {
            gzip.write_all(&zeros).unwrap();
        }
        let bomb = gzip.finish().unwrap();
        assert_eq!(
            Decoder::new(Some("gzip")).push(&bomb, |_| ()),
            Err(Undecodable::Bomb)
        );
    }
}
