//! What is said when a long command is interrupted: how far it was, and that nothing is lost.

use std::io::{self, IsTerminal};
use std::process;
use std::sync::{Mutex, PoisonError};

use crate::console::{Colour, Console};
use crate::exit::Trouble;

/// How far the command is.
static STANDING: Mutex<String> = Mutex::new(String::new());

/// As shells report a command that SIGINT has ended: 128 and the number of the signal.
const INTERRUPTED: i32 = 130;

/// From here on, Ctrl-C, SIGTERM and SIGHUP end the program with what was last said to [`reach`].
pub(crate) fn announce() -> Result<(), Trouble> {
    ctrlc::set_handler(|| {
        let standing = STANDING.lock().unwrap_or_else(PoisonError::into_inner);
        // The line of the progress goes first.
        let clear = if io::stderr().is_terminal() { "\r\x1b[K" } else { "" };
        let note = "nothing is lost: the same command goes on from there";
        Console::new(Colour::Auto).complain(&format!("{clear}interrupted: {standing}\n{note}\n"));
        process::exit(INTERRUPTED);
    })
    .map_err(|error| Trouble::new(format!("cannot listen for an interruption: {error}")))
}

/// The command has got so far.
pub(crate) fn reach(standing: String) {
    *STANDING.lock().unwrap_or_else(PoisonError::into_inner) = standing;
}
