//! A terminal with a program in it, as its user sees and types it.

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::process::{Child, Command};

use rustix::fs::{Mode, OFlags, open};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use tokio::sync::mpsc;
use vt100::{Color, Parser, Screen};

use super::program::in_home;
use super::within;

/// The program, to be started in a terminal: `setsid` makes that its controlling terminal, and becomes the program.
pub(crate) fn command(home: &Path) -> Command {
    let mut command = in_home("setsid", home);
    command
        .env("TERM", "xterm-256color")
        .args(["--ctty", env!("CARGO_BIN_EXE_moonlock")]);
    command
}

/// A terminal of 80 by 24, and what runs in it. Dropped, that is killed.
pub(crate) struct Terminal {
    child: Child,
    keys: File,
    pieces: mpsc::UnboundedReceiver<Vec<u8>>,
    shown: Parser,
}

impl Terminal {
    /// Starts a [`command`] in it, which is given up: it holds the terminal open.
    pub(crate) fn start(mut command: Command) -> Self {
        const ROWS: NonZeroU16 = NonZeroU16::new(24).unwrap();
        const COLUMNS: NonZeroU16 = NonZeroU16::new(80).unwrap();
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let size = Winsize {
            ws_row: ROWS.get(),
            ws_col: COLUMNS.get(),
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&master, size).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let inside = open(
            name,
            OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .unwrap();
        let child = command
            .stdin(inside.try_clone().unwrap())
            .stdout(inside.try_clone().unwrap())
            .stderr(inside)
            .spawn()
            .unwrap();
        let (tell, pieces) = mpsc::unbounded_channel();
        let mut screen = File::from(fcntl_dupfd_cloexec(&master, 0).unwrap());
        // Ends when the last program in the terminal has.
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = screen.read(&mut piece) {
                if tell.send(piece[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            keys: File::from(master),
            pieces,
            shown: Parser::new(ROWS, COLUMNS, 0),
        }
    }

    /// The process' number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until the screen shows these words.
    pub(crate) async fn until(&mut self, words: &str) {
        self.until_it(words, |screen| screen.contents().contains(words))
            .await;
    }

    /// Waits until the screen is as it must be.
    pub(crate) async fn until_it(&mut self, what: &str, is_so: impl Fn(&Screen) -> bool) {
        while !is_so(self.shown.screen()) {
            let shown = self.shown.screen().contents();
            let piece = within(
                &format!("{what:?} on a screen that shows\n{shown}\n"),
                self.pieces.recv(),
            )
            .await;
            let piece =
                piece.unwrap_or_else(|| panic!("it ended without {what:?}; the screen shows\n{shown}"));
            self.shown.process(&piece);
        }
    }

    /// Whether any place on the screen has a colour.
    pub(crate) fn is_coloured(&self) -> bool {
        let (rows, columns) = self.shown.screen().size();
        let (rows, columns) = (rows.get(), columns.get());
        let mut places = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
        places.any(|(row, column)| {
            let cell = self.shown.screen().cell(row, column).unwrap();
            (cell.fgcolor(), cell.bgcolor()) != (Color::Default, Color::Default)
        })
    }

    /// Waits for the program to end; its exit code, and what the screen shows then.
    pub(crate) async fn end(mut self) -> (Option<i32>, String) {
        while let Some(piece) = within("the program to end", self.pieces.recv()).await {
            self.shown.process(&piece);
        }
        // Its end is what closed the terminal.
        (self.child.wait().unwrap().code(), self.shown.screen().contents())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
