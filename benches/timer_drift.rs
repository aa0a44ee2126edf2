//! How far the program's timer is from the machine's own clock, with every core busy.
//!
//!     cargo bench --bench timer_drift -- --minutes 10
//!
//! It starts the real program, a session, and polls `/api/sessions/{id}` at uneven intervals, reading `CLOCK_BOOTTIME`
//! itself before and after each poll. Both are counted from one of the first polls. Two errors are printed: what lies outside of
//! the window in which the program must have read its clock, which nothing but a wrong timer explains; and the
//! distance from the window's middle, which holds half of the time that a busy machine takes to answer.
//! The reference is the machine's own clock, as NTP steers it.

#![expect(clippy::print_stdout, reason = "what it prints is the result")]

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("the reference is CLOCK_BOOTTIME, which only Linux has: skipped");
}

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    linux::run()
}

#[cfg(target_os = "linux")]
mod linux {
    use std::error::Error;
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpStream;
    use std::process::{Child, Command, Stdio};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use rustix::time::{ClockId, clock_gettime};
    use serde_json::Value;

    type Outcome<T> = Result<T, Box<dyn Error>>;

    /// The reference, in nanoseconds.
    fn boot() -> i64 {
        let time = clock_gettime(ClockId::Boottime);
        time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    /// How many minutes to measure for: `--minutes N`. Without it, as when all benches run, a few seconds.
    fn length() -> Outcome<Duration> {
        let arguments: Vec<String> = std::env::args().collect();
        let said = arguments.iter().position(|argument| argument == "--minutes");
        match said.and_then(|place| arguments.get(place + 1)) {
            Some(minutes) => Ok(Duration::from_secs_f64(minutes.parse::<f64>()? * 60.0)),
            None => Ok(Duration::from_secs(5)),
        }
    }

    /// The program; killed in the end.
    struct Program(Child, String);

    impl Program {
        fn start(home: &std::path::Path) -> Outcome<Self> {
            let mut child = Command::new(env!("CARGO_BIN_EXE_moonlock"))
                .env_clear()
                .env("HOME", home)
                .env("PORT", "0")
                .env("PROXY_PORT", "0")
                .env("DB_PATH", home.join("moonlock.db"))
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .spawn()?;
            let said = child.stdout.take().ok_or("the program has no output")?;
            let line = BufReader::new(said)
                .lines()
                .next()
                .ok_or("the program said nothing")??;
            let address = line
                .split("http://")
                .nth(1)
                .ok_or(line.clone())?
                .trim()
                .to_owned();
            Ok(Self(child, address))
        }

        fn ask(&self, method: &str, path: &str, body: &str) -> Outcome<Value> {
            let mut stream = TcpStream::connect(&self.1)?;
            stream.set_nodelay(true)?;
            write!(
                stream,
                "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
                 connection: close\r\n\r\n{body}",
                self.1,
                body.len()
            )?;
            let mut reply = String::new();
            stream.read_to_string(&mut reply)?;
            let (_, body) = reply.split_once("\r\n\r\n").ok_or("no reply")?;
            Ok(serde_json::from_str(body)?)
        }
    }

    impl Drop for Program {
        fn drop(&mut self) {
            drop(self.0.kill());
            drop(self.0.wait());
        }
    }

    struct Poll {
        before: i64,
        after: i64,
        elapsed_ms: i64,
    }

    fn poll(program: &Program, path: &str) -> Outcome<Poll> {
        let before = boot();
        let session = program.ask("GET", path, "")?;
        let after = boot();
        let elapsed_ms = session["elapsedMs"].as_i64().ok_or("a session without a clock")?;
        if session["status"] != "active" {
            return Err(format!("the session does not run: {session}").into());
        }
        Ok(Poll {
            before,
            after,
            elapsed_ms,
        })
    }

    pub(super) fn run() -> Outcome<()> {
        let length = length()?;
        let home = tempfile::tempdir()?;
        let program = Program::start(home.path())?;
        let session = program.ask("POST", "/api/sessions", r#"{"name":"drift","duration":18000000}"#)?;
        let path = format!("/api/sessions/{}", session["id"].as_str().ok_or("no session")?);
        let cores = std::thread::available_parallelism()?.get();
        let stop = Arc::new(AtomicBool::new(false));
        let burners: Vec<_> = (0..cores)
            .map(|_| {
                let stop = Arc::clone(&stop);
                std::thread::spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        std::hint::black_box((0..10_000_u64).sum::<u64>());
                    }
                })
            })
            .collect();
        let polled = polls(&program, &path, length);
        stop.store(true, Ordering::Relaxed);
        for burner in burners {
            burner.join().map_err(|_| "a burning thread panicked")?;
        }
        report(&polled?, cores)
    }

    fn polls(program: &Program, path: &str, length: Duration) -> Outcome<Vec<Poll>> {
        let end = boot() + i64::try_from(length.as_nanos())?;
        let mut polls = vec![poll(program, path)?];
        let mut random = 0x9e37_79b9_u32;
        while boot() < end {
            random ^= random << 13;
            random ^= random >> 17;
            random ^= random << 5;
            // Uneven, so that no beat with the program's own timers hides anything.
            std::thread::park_timeout(Duration::from_millis(u64::from(20 + random % 460)));
            polls.push(poll(program, path)?);
        }
        Ok(polls)
    }

    /// The poll that took the least time: the one that says most exactly when the program read its clock.
    fn tightest(polls: &[Poll]) -> Outcome<&Poll> {
        let tightest = polls.iter().min_by_key(|poll| poll.after - poll.before);
        tightest.ok_or_else(|| "too few polls".into())
    }

    fn report(polls: &[Poll], cores: usize) -> Outcome<()> {
        let tenth = polls.len().div_ceil(10);
        let first = tightest(&polls[..tenth])?;
        let last = tightest(&polls[polls.len() - tenth..])?;
        let mut outside = Vec::new();
        let mut middle = Vec::new();
        for poll in polls {
            let shown = (poll.elapsed_ms - first.elapsed_ms) * 1_000_000;
            // The clock was read between `before` and `after`, here and at the first poll; what is shown is cut to
            // whole milliseconds, there and here.
            let least = poll.before - first.after - 1_000_000;
            let most = poll.after - first.before + 1_000_000;
            outside.push((least - shown).max(shown - most).max(0));
            middle.push(((poll.before + poll.after - first.before - first.after) / 2 - shown).abs());
        }
        outside.sort_unstable();
        middle.sort_unstable();
        let ms = |nanos: Option<&i64>| nanos.map_or(0.0, |nanos| millis(*nanos));
        let length = last.before - first.before;
        let drift = (last.before + last.after - first.before - first.after) / 2
            - (last.elapsed_ms - first.elapsed_ms) * 1_000_000;
        println!(
            "{} polls in {:.1} s, {cores} of {cores} cores busy",
            polls.len(),
            millis(length) / 1e3
        );
        println!(
            "outside of the window:   max {:.3} ms, median {:.3} ms",
            ms(outside.last()),
            ms(outside.get(outside.len() / 2))
        );
        println!(
            "from the window's middle: max {:.3} ms, median {:.3} ms",
            ms(middle.last()),
            ms(middle.get(middle.len() / 2))
        );
        println!(
            "between the tightest polls of the first and the last tenth: {:.3} ms ({:.2} ppm)",
            millis(drift),
            millis(drift) / millis(length) * 1e6
        );
        if outside.last().is_some_and(|outside| *outside > 0) {
            return Err("the timer shows what its clock cannot have said".into());
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "only to be printed")]
    fn millis(nanos: i64) -> f64 {
        nanos as f64 / 1e6
    }
}
