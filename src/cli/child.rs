//! A command that runs in this terminal as if it had been started there: standard streams, signals, job control and exit
//! code are its own.
//!
//! It stays in this process' group. What the terminal sends (Ctrl-C, Ctrl-\, Ctrl-Z, a change of its size, its end)
//! reaches both, so it is not sent on: the command would get it twice. What another process sends to this one is.

use std::io;
use std::process::{Command, ExitStatus};

/// Runs a command to its end.
#[cfg(unix)]
pub(super) fn run(command: &mut Command) -> io::Result<ExitStatus> {
    use rustix::io::Errno;
    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
    use signal_hook::iterator::SignalsInfo;
    use signal_hook::iterator::exfiltrator::WithOrigin;

    // Before the command is there, so that none is missed.
    let mut signals = SignalsInfo::<WithOrigin>::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2])?;
    let handle = signals.handle();
    let mut child = command.spawn()?;
    let Some(id) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else {
        return child.wait();
    };
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for origin in &mut signals {
                if let Some(signal) =
                    Signal::from_named_raw(origin.signal).filter(|_| !is_of_terminal(&origin))
                {
                    // It may have ended this very moment.
                    kill_process(id, signal).ok();
                }
            }
        });
        // Its number stays its own until it is waited for below, so that no signal can go to another process.
        let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while let Err(Errno::INTR) = waitid(WaitId::Pid(id), ended) {}
        handle.close();
    });
    child.wait()
}

/// Whether a signal came from the terminal, which has sent it to the command as well.
#[cfg(unix)]
fn is_of_terminal(origin: &signal_hook::low_level::siginfo::Origin) -> bool {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT};
    use signal_hook::low_level::siginfo::Cause;
    use std::io::IsTerminal;

    match origin.cause {
        Cause::Kernel => true,
        Cause::Sent(_) => false,
        // Some systems do not tell.
        _ => matches!(origin.signal, SIGHUP | SIGINT | SIGQUIT) && io::stdin().is_terminal(),
    }
}

/// Runs a command to its end. Ctrl-C reaches every program of a console; this one waits for the command to end by it.
#[cfg(not(unix))]
pub(super) fn run(command: &mut Command) -> io::Result<ExitStatus> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut child =
            tokio::process::Command::from(std::mem::replace(command, Command::new(""))).spawn()?;
        loop {
            tokio::select! {
                status = child.wait() => return status,
                pressed = tokio::signal::ctrl_c() => pressed?,
            }
        }
    })
}

/// The exit code that a shell would give: the command's own, or 128 and the signal that ended it.
pub(super) fn code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    let code = status.code().or(signal.map(|signal| 128 + signal));
    // What does not fit is no success.
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}
