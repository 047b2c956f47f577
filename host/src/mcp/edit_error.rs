//! Why a configuration file of MCP servers is as it was.

use crate::fault::{Code, Fault};
use std::io;
use std::path::PathBuf;

/// Why a change was not made. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The file is there and is not what it should be.
    #[error("{}:{line}: {problem} (column {column}). Nothing was changed: correct that line first.", .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
        /// What the parser expected.
        problem: String,
    },
    /// Something else stands where the change belongs.
    #[error(
        "{}: something else stands where `{place}` belongs, or it stands there twice. Nothing was changed: correct that by hand.",
        .path.display()
    )]
    Shape {
        /// The file.
        path: PathBuf,
        /// Keys from the outside in, with dots.
        place: String,
    },
    /// A link in a project leads out of it.
    #[error(
        "{} leads out of {}, where a project must change nothing. Nothing was changed: put a file in its place.",
        .path.display(), .root.display()
    )]
    Outside {
        /// The file.
        path: PathBuf,
        /// The project.
        root: PathBuf,
    },
    /// The file cannot be read.
    #[error("{} cannot be read: {error}. Nothing was changed.", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The file cannot be written.
    #[error("{} cannot be written: {error}. Nothing was changed.", .path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Another program keeps changing the file.
    #[error("{} is being changed by another program. Nothing was changed: try again.", .path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// A server of this name is there already.
    #[error("{} has an MCP server `{server}` already. Choose another name, or put this one in its place with --replace.", .path.display())]
    Exists {
        /// Its name.
        server: String,
        /// The file.
        path: PathBuf,
    },
    /// No server of this name is there.
    #[error("There is no MCP server `{server}` in {place}.{suggestion}")]
    Unknown {
        /// The name.
        server: String,
        /// Where it was looked for.
        place: String,
        /// ` Did you mean: …`, or nothing.
        suggestion: String,
    },
    /// It cannot be a server's name.
    #[error(
        "`{}` cannot be an MCP server's name: it has 1 to 64 letters, digits, `-` and `_`, and begins with a letter or a digit.",
        .0.escape_debug()
    )]
    Name(String),
    /// It makes no server.
    #[error("The MCP server `{server}` cannot be written: {problem}")]
    Entry {
        /// Its name.
        server: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The home or its store cannot be used.
    #[error(transparent)]
    Home(#[from] Fault),
}

impl EditError {
    /// What kind of refusal it is.
    pub fn code(&self) -> Code {
        match self {
            Self::Syntax { .. } | Self::Shape { .. } | Self::Exists { .. } => Code::Unconfigured,
            Self::Outside { .. } | Self::Unreadable { .. } | Self::Unwritable { .. } => Code::Unconfigured,
            Self::Busy { .. } => Code::Busy,
            Self::Unknown { .. } => Code::Unknown,
            Self::Name(_) | Self::Entry { .. } => Code::InvalidArgument,
            Self::Home(fault) => fault.code,
        }
    }
}
