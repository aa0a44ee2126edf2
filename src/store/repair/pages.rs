//! The pages of a database file as its last commit left them, read without SQLite's help.
//!
//! What stands in the write-ahead log counts, up to its last commit whose checksums agree
//! (<https://sqlite.org/fileformat2.html>, "The Write-Ahead Log"); that is what SQLite takes from it as well.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use super::bytes::u32_at;

/// Moonlock never sets another, and never reserves room at a page's end.
pub(super) const PAGE: usize = 4_096;

const WAL_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// One page.
pub(super) type Page = Box<[u8; PAGE]>;

/// The pages of a file and its log.
pub(super) struct Pages {
    file: File,
    log: Option<Log>,
    count: u32,
}

/// What a write-ahead log holds.
pub(super) struct Log {
    file: File,
    /// Where the newest committed content of a page begins.
    frames: HashMap<u32, u64>,
    /// How many pages the database has after the last commit.
    pages: u32,
    /// Commits that stand behind the first frame that is damaged: they are lost.
    pub(super) cut_off: u32,
    /// The log's own beginning is damaged: all that it held is lost.
    pub(super) has_no_header: bool,
}

impl Pages {
    /// Opens a database file, and its log if it has one.
    pub(super) fn open(path: &Path) -> std::io::Result<Self> {
        let file = File::open(path)?;
        let log = Log::open(&super::beside(path, "-wal"))?;
        let in_file = u32::try_from(file.metadata()?.len() / PAGE as u64).unwrap_or(u32::MAX);
        let count = in_file.max(log.as_ref().map_or(0, |log| log.pages));
        Ok(Self { file, log, count })
    }

    /// How many there are; they are numbered from 1.
    pub(super) const fn count(&self) -> u32 {
        self.count
    }

    /// The schema's version, as the file's header has it.
    pub(super) fn user_version(&mut self) -> std::io::Result<u32> {
        Ok(self.read(1)?.map_or(0, |first| u32_at(&first[..], 60)))
    }

    /// One page; `None` if there is none of that number, or the disk cannot read it.
    pub(super) fn read(&mut self, number: u32) -> std::io::Result<Option<Page>> {
        if number == 0 || number > self.count {
            return Ok(None);
        }
        let in_log = self.log.as_ref().and_then(|log| log.frames.get(&number));
        let (mut file, at) = match (in_log, &self.log) {
            (Some(at), Some(log)) => (&log.file, *at),
            _ => (&self.file, u64::from(number - 1) * PAGE as u64),
        };
        let mut page = Box::new([0; PAGE]);
        file.seek(SeekFrom::Start(at))?;
        match file.read_exact(&mut page[..]) {
            Ok(()) => Ok(Some(page)),
            // A page that was cut off, or a sector that is gone.
            Err(_) => Ok(None),
        }
    }
}

impl Log {
    /// Reads a log; `None` if there is none, or nothing in it.
    pub(super) fn open(path: &Path) -> std::io::Result<Option<Self>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut reader = BufReader::with_capacity(1 << 16, &file);
        let mut header = [0; WAL_HEADER];
        if !fill(&mut reader, &mut header)? {
            return Ok(None);
        }
        let mut log = Self {
            file: file.try_clone()?,
            frames: HashMap::new(),
            pages: 0,
            cut_off: 0,
            has_no_header: false,
        };
        let words = match u32_at(&header, 0) {
            0x377f_0682 => u32::from_le_bytes,
            0x377f_0683 => u32::from_be_bytes,
            _ => {
                log.has_no_header = true;
                return Ok(Some(log));
            }
        };
        let mut sum = Checksum { words, sums: (0, 0) };
        sum.add(&header[..24]);
        if sum.sums != (u32_at(&header, 24), u32_at(&header, 28)) || u32_at(&header, 8) as usize != PAGE {
            log.has_no_header = true;
            return Ok(Some(log));
        }
        log.take_frames(&mut reader, &header[16..24], sum)?;
        Ok(Some(log))
    }

    fn take_frames(
        &mut self,
        reader: &mut impl Read,
        salts: &[u8],
        mut sum: Checksum,
    ) -> std::io::Result<()> {
        let mut frame = vec![0; FRAME_HEADER + PAGE];
        let mut at = WAL_HEADER as u64;
        let mut uncommitted = Vec::new();
        let mut is_whole = true;
        while fill(reader, &mut frame)? {
            // Behind the frames of this round stand those of an earlier one, with other salts.
            let is_of_this_round = frame[8..16] == *salts;
            let is_commit = u32_at(&frame, 4) > 0;
            if is_whole {
                sum.add(&frame[..8]);
                sum.add(&frame[FRAME_HEADER..]);
                is_whole = is_of_this_round && sum.sums == (u32_at(&frame, 16), u32_at(&frame, 20));
            }
            if is_whole {
                uncommitted.push((u32_at(&frame, 0), at + FRAME_HEADER as u64));
                if is_commit {
                    self.frames.extend(uncommitted.drain(..));
                    self.pages = u32_at(&frame, 4);
                }
            } else if is_of_this_round && is_commit {
                self.cut_off += 1;
            }
            at += frame.len() as u64;
        }
        Ok(())
    }
}

/// Reads so many bytes; false if there are not so many left.
fn fill(reader: &mut impl Read, bytes: &mut [u8]) -> std::io::Result<bool> {
    match reader.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// The log's running checksum.
struct Checksum {
    words: fn([u8; 4]) -> u32,
    sums: (u32, u32),
}

impl Checksum {
    fn add(&mut self, bytes: &[u8]) {
        let (words, _) = bytes.as_chunks::<4>();
        let (pairs, _) = words.as_chunks::<2>();
        let (mut first, mut second) = self.sums;
        for [even, odd] in pairs {
            first = first.wrapping_add((self.words)(*even)).wrapping_add(second);
            second = second.wrapping_add((self.words)(*odd)).wrapping_add(first);
        }
        self.sums = (first, second);
    }
}
