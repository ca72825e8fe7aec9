//! The console: stdout and stderr behind handles that survive a closed pipe and drop colour where it does not belong.

use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use clap::ValueEnum;

use crate::args::Destination;
use crate::exit::Trouble;
use crate::files;

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal, unless NO_COLOR is set; elsewhere if CLICOLOR_FORCE is.
    Auto,
    /// Also in pipes and files.
    Always,
    /// Not at all.
    Never,
}

/// Where a command writes.
#[derive(Debug)]
pub(crate) struct Console {
    colour: ColorChoice,
}

/// The narrowest and the widest that text is laid out for, and what is used where nobody looks.
const WIDTH: (usize, usize) = (80, 110);
const WIDTH_OF_FILES: usize = 100;

impl Console {
    pub(crate) fn new(colour: Colour) -> Console {
        let colour = match colour {
            Colour::Auto => ColorChoice::Auto,
            Colour::Always => ColorChoice::Always,
            Colour::Never => ColorChoice::Never,
        };
        Console { colour }
    }

    /// Writes the result of a command to stdout. That nobody reads on (`| head`) is not an error.
    pub(crate) fn print(&mut self, text: &str) -> io::Result<()> {
        let mut out = AutoStream::new(io::stdout().lock(), self.colour);
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        }
    }

    /// Writes the answer of a command to the file that was named, without colour, or else to stdout.
    pub(crate) fn deliver(&mut self, text: &str, to: &Destination) -> Result<(), Trouble> {
        match to.output.as_deref() {
            Some(path) if !files::is_dash(path) => files::write(path, &plain(text)),
            Some(_) | None => Ok(self.print(text)?),
        }
    }

    /// Writes what went wrong to stderr, if that is still there.
    pub(crate) fn complain(&mut self, text: &str) {
        let mut err = AutoStream::new(io::stderr().lock(), self.colour);
        err.write_all(text.as_bytes()).and_then(|()| err.flush()).ok();
    }

    /// How many columns a line on stdout may have before it is cut: where there is no terminal, none is.
    pub(crate) fn room(&self) -> usize {
        if io::stdout().is_terminal() { self.width() } else { usize::MAX }
    }

    /// How many columns the text on stdout may have.
    pub(crate) fn width(&self) -> usize {
        let stdout = io::stdout();
        let columns = if stdout.is_terminal() { terminal_size::terminal_size_of(stdout) } else { None };
        columns.map_or(WIDTH_OF_FILES, |(width, _)| usize::from(width.0).clamp(WIDTH.0, WIDTH.1))
    }
}

/// The text as it is written to a file: without colour.
pub(crate) fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}
