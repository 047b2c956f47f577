//! Errors of Lua itself, as text.

use mlua::{Error, Value};

/// What Luau says when memory runs out.
pub(super) const OUT_OF_MEMORY: &str = "not enough memory";

/// Whether what a script raised says that memory ran out.
pub(super) fn is_out_of_memory(raised: &Value) -> bool {
    match raised {
        Value::String(text) => *text == OUT_OF_MEMORY,
        Value::Error(error) => is_memory_error(error),
        _ => false,
    }
}

fn is_memory_error(error: &Error) -> bool {
    match error {
        Error::MemoryError(_) => true,
        Error::CallbackError { cause, .. } | Error::WithContext { cause, .. } => is_memory_error(cause),
        _ => false,
    }
}

/// An error as one sentence, without its trace.
pub(super) fn plain(error: &Error) -> String {
    match error {
        Error::SyntaxError { message, .. } | Error::RuntimeError(message) => message.clone(),
        Error::CallbackError { cause, .. } | Error::WithContext { cause, .. } => plain(cause),
        Error::MemoryError(_) => OUT_OF_MEMORY.into(),
        other => other.to_string(),
    }
}
