//! Why an invocation failed, as a script sees it; and the only place where a plugin's fault becomes one.

use crate::bindings::contract;
use serde::Serialize;
use std::fmt;

/// Why an invocation failed.
///
/// Displays as one sentence that names who, what and the cure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fault {
    /// The stable, machine-readable reason.
    pub code: Code,
    /// The whole sentence.
    pub message: String,
    /// `dialpad`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// `list_calls`
    #[serde(rename = "fn", skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// The MCP server: `github`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Its tool: `create_issue`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The parameter at fault, as declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// The provider's HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The provider's own error code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_code: Option<String>,
    /// Seconds after which trying again is worthwhile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    /// Whether the sentence repeats the operator's files, which may name what not everybody may know of.
    #[serde(skip)]
    pub quotes_files: bool,
}

/// The reasons an invocation can fail. Written `snake_case` wherever a script or a program reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// No such provider, account or function.
    Unknown,
    /// The provider has no usable account of that name: a required credential is missing.
    Unconfigured,
    /// An argument is missing, misnamed or of the wrong kind. Nothing was sent.
    InvalidArgument,
    /// The operator wants to be asked first, and nobody is there to ask.
    ApprovalRequired,
    /// The operator forbids it, or no grant covers it.
    Denied,
    /// The invocation's or the script's time was up.
    Timeout,
    /// The plugin computed for too long.
    Cpu,
    /// The plugin wanted more memory than it may have.
    Memory,
    /// Too many invocations at once.
    Busy,
    /// Request or response exceed what may pass.
    TooLarge,
    /// The plugin crashed.
    Trap,
    /// The provider did not accept the credential.
    Unauthorized,
    /// The provider accepted the credential and refuses the request.
    Forbidden,
    /// The provider does not know it.
    NotFound,
    /// Asked too often.
    RateLimited,
    /// Work at the provider goes on; ask again.
    NotReady,
    /// The provider answered with another error.
    Provider,
    /// A write of an earlier part of this run was sent, and nothing tells what became of it.
    InDoubt,
    /// The script asks for other writes than the run that it takes up again.
    Changed,
    /// No usable answer arrived.
    Unreachable,
    /// The run was told to end before this was done.
    Interrupted,
    /// The provider cannot do this.
    Unsupported,
    /// The plugin file cannot be loaded.
    Unloadable,
    /// A defect of the plugin or of kosmo.
    Internal,
}

impl Code {
    /// The code as scripts and programs read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Unconfigured => "unconfigured",
            Self::InvalidArgument => "invalid_argument",
            Self::ApprovalRequired => "approval_required",
            Self::Denied => "denied",
            Self::Timeout => "timeout",
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Busy => "busy",
            Self::TooLarge => "too_large",
            Self::Trap => "trap",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::RateLimited => "rate_limited",
            Self::NotReady => "not_ready",
            Self::Provider => "provider",
            Self::InDoubt => "in_doubt",
            Self::Changed => "changed",
            Self::Unreachable => "unreachable",
            Self::Interrupted => "interrupted",
            Self::Unsupported => "unsupported",
            Self::Unloadable => "unloadable",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

impl Fault {
    /// A fault of this code that says this.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            provider: None,
            function: None,
            server: None,
            tool: None,
            parameter: None,
            status: None,
            provider_code: None,
            retry_after: None,
            quotes_files: false,
        }
    }

    /// One that repeats what stands in the operator's files.
    pub(crate) fn of_files(code: Code, message: impl Into<String>) -> Self {
        Self { quotes_files: true, ..Self::new(code, message) }
    }

    /// An argument that cannot be used.
    pub fn argument(parameter: &str, message: impl Into<String>) -> Self {
        Self { parameter: Some(parameter.into()), ..Self::new(Code::InvalidArgument, message) }
    }

    /// The same fault, knowing whose it is.
    #[must_use]
    pub fn of(self, provider: &str, function: &str) -> Self {
        Self { provider: Some(provider.into()), function: Some(function.into()), ..self }
    }

    /// The same fault, knowing which tool of which MCP server it is about.
    #[must_use]
    pub(crate) fn at(self, server: &str, tool: &str) -> Self {
        Self { server: Some(server.into()), tool: Some(tool.into()), ..self }
    }

    /// Whether the operator's word, or its absence, is the reason.
    pub(crate) fn is_denial(&self) -> bool {
        matches!(self.code, Code::Denied | Code::ApprovalRequired)
    }

    /// What a plugin said, in the host's words. `title` is the provider's title, `Dialpad`; `path` is the function,
    /// `dialpad.list_calls`.
    pub(crate) fn from_plugin(title: &str, path: &str, fault: contract::Fault) -> Self {
        use contract::Fault as Plugin;
        match fault {
            Plugin::InvalidArgument(error) => {
                Self::argument(&error.parameter, format!("{path}: `{}` {}", error.parameter, error.message))
            }
            Plugin::Unauthorized(error) => Self::answered(Code::Unauthorized, title, error),
            Plugin::Forbidden(error) => Self::answered(Code::Forbidden, title, error),
            Plugin::NotFound(error) => Self::answered(Code::NotFound, title, error),
            Plugin::Provider(error) => Self::answered(Code::Provider, title, error),
            Plugin::RateLimited(limit) => {
                Self { retry_after: limit.retry_after, ..Self::answered(Code::RateLimited, title, limit.error) }
            }
            Plugin::NotReady(error) => {
                Self { retry_after: Some(error.retry_after), ..Self::new(Code::NotReady, error.message) }
            }
            Plugin::Unreachable(message) => {
                Self::new(Code::Unreachable, format!("Failed to connect to {title} API: {message}"))
            }
            Plugin::Unsupported(message) => Self::new(Code::Unsupported, message),
            Plugin::Internal(message) => Self::new(Code::Internal, format!("{title} plugin error: {message}")),
        }
    }

    fn answered(code: Code, title: &str, error: contract::ProviderError) -> Self {
        let which = match &error.code {
            Some(code) => format!("{} {code}", error.status),
            None => error.status.to_string(),
        };
        Self {
            status: Some(error.status),
            provider_code: error.code,
            ..Self::new(code, format!("{title} API error ({which}): {}", error.message))
        }
    }
}
