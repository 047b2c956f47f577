//! Who ended an invocation, and what the script is told of it.

use crate::bindings::contract;
use crate::fault::{Code, Fault};

/// Who ended an invocation.
pub(crate) enum Failure {
    /// The host: a limit, a denial, a broken connection.
    Host(Fault),
    /// The plugin, in its own words.
    Plugin(contract::Fault),
}

impl Failure {
    /// The host knows why a request failed; the plugin only that it did, and may tell it wrong.
    pub(crate) fn plugin(fault: contract::Fault, cause: Option<Fault>) -> Self {
        let vague = matches!(fault, contract::Fault::Unreachable(_) | contract::Fault::Internal(_));
        match cause {
            Some(cause) if vague => Self::Host(cause),
            _ => Self::Plugin(fault),
        }
    }

    pub(crate) fn into_fault(self, title: &str, path: &str) -> Fault {
        match self {
            Self::Host(fault) if fault.code == Code::Unreachable => {
                Fault { message: format!("Failed to connect to {title} API: {}", fault.message), ..fault }
            }
            Self::Host(fault) if matches!(fault.code, Code::Trap | Code::Cpu | Code::Memory | Code::TooLarge) => {
                Fault { message: format!("{path}: {}", fault.message), ..fault }
            }
            Self::Host(fault) => fault,
            Self::Plugin(fault) => Fault::from_plugin(title, path, fault),
        }
    }
}
