//! One thing a plugin can do: its face to readers and the host, and the code behind it.

use crate::{Fault, Invocation, contract};
use contract::{Kind, Operation};

/// A function. Built as a constant, so that an invocation pays nothing for the description it does not need.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    pub(crate) name: &'static str,
    summary: &'static str,
    description: &'static str,
    operation: Operation,
    destructive: bool,
    parameters: &'static [Parameter],
    requests: &'static [Rule],
    rate_group: Option<&'static str>,
    pagination: Option<Pagination>,
    traces: &'static [Rule],
    pub(crate) run: fn(&Invocation) -> Result<String, Fault>,
    pub(crate) find: fn(&Invocation) -> Result<String, Fault>,
}

/// How the results of a function that come in pages are walked.
#[derive(Clone, Copy, Debug)]
pub enum Pagination {
    /// A cursor in the answer goes back in a parameter.
    Cursor {
        /// The parameter that takes it.
        parameter: &'static str,
        /// The result's array of items.
        items: &'static str,
        /// The result's cursor.
        next: &'static str,
    },
    /// Pages are numbered from 1.
    Page {
        /// The parameter that takes the number.
        parameter: &'static str,
        /// The result's array of items.
        items: &'static str,
        /// Path to what is present exactly when there is a next page.
        more: &'static str,
    },
}

impl Function {
    /// A function that changes nothing.
    pub const fn read(name: &'static str, summary: &'static str) -> Self {
        Self {
            name,
            summary,
            description: "",
            operation: Operation::Read,
            destructive: false,
            parameters: &[],
            requests: &[],
            rate_group: None,
            pagination: None,
            traces: &[],
            run: |_| Err(Fault::Internal("this function has no `runs`".into())),
            find: |_| Err(Fault::Unsupported("the provider cannot tell whether this happened".into())),
        }
    }

    /// A function that sends, creates, changes or deletes.
    pub const fn write(name: &'static str, summary: &'static str) -> Self {
        Self { operation: Operation::Write, ..Self::read(name, summary) }
    }

    /// Marks a write that cannot be undone.
    pub const fn destructive(self) -> Self {
        Self { destructive: true, ..self }
    }

    /// What it returns, its traps and units; Markdown.
    pub const fn description(self, description: &'static str) -> Self {
        Self { description, ..self }
    }

    /// Its named arguments.
    pub const fn parameters(self, parameters: &'static [Parameter]) -> Self {
        Self { parameters, ..self }
    }

    /// Every request it can send.
    pub const fn requests(self, requests: &'static [Rule]) -> Self {
        Self { requests, ..self }
    }

    /// The rate group its requests count against.
    pub const fn rate_group(self, name: &'static str) -> Self {
        Self { rate_group: Some(name), ..self }
    }

    /// How its pages are walked.
    pub const fn pagination(self, pagination: Pagination) -> Self {
        Self { pagination: Some(pagination), ..self }
    }

    /// The code behind it.
    pub const fn runs(self, run: fn(&Invocation) -> Result<String, Fault>) -> Self {
        Self { run, ..self }
    }

    /// How to find out whether an earlier write happened whose answer got lost, by these [`Rule::finding`]. `find` gives its
    /// result, or `null` if it did not happen since [`Invocation::lost`].
    pub const fn traced(self, requests: &'static [Rule], find: fn(&Invocation) -> Result<String, Fault>) -> Self {
        Self { traces: requests, find, ..self }
    }

    pub(crate) fn describe(&self) -> contract::Function {
        contract::Function {
            name: self.name.into(),
            summary: self.summary.into(),
            description: self.description.into(),
            operation: self.operation,
            destructive: self.destructive,
            parameters: self.parameters.iter().map(Parameter::describe).collect(),
            requests: self.requests.iter().chain(self.traces).map(Rule::describe).collect(),
            rate_group: self.rate_group.map(Into::into),
            pagination: self.pagination.map(Pagination::describe),
        }
    }
}

impl Pagination {
    fn describe(self) -> contract::Pagination {
        match self {
            Self::Cursor { parameter, items, next } => contract::Pagination::Cursor(contract::CursorPagination {
                parameter: parameter.into(),
                items: items.into(),
                next: next.into(),
            }),
            Self::Page { parameter, items, more } => contract::Pagination::Page(contract::PagePagination {
                parameter: parameter.into(),
                items: items.into(),
                more: more.into(),
            }),
        }
    }
}

/// One named argument.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    name: &'static str,
    kind: Kind,
    required: bool,
    description: &'static str,
    choices: &'static [&'static str],
    default: Option<&'static str>,
    example: Option<&'static str>,
}

impl Parameter {
    const fn new(name: &'static str, kind: Kind, description: &'static str) -> Self {
        Self { name, kind, required: false, description, choices: &[], default: None, example: None }
    }

    /// Text.
    pub const fn string(name: &'static str, description: &'static str) -> Self {
        Self::new(name, Kind::String, description)
    }

    /// A whole number.
    pub const fn integer(name: &'static str, description: &'static str) -> Self {
        Self::new(name, Kind::Integer, description)
    }

    /// A number.
    pub const fn number(name: &'static str, description: &'static str) -> Self {
        Self::new(name, Kind::Number, description)
    }

    /// True or false.
    pub const fn boolean(name: &'static str, description: &'static str) -> Self {
        Self::new(name, Kind::Boolean, description)
    }

    /// A table with names.
    pub const fn object(name: &'static str, description: &'static str) -> Self {
        Self::new(name, Kind::Object, description)
    }

    /// A list.
    pub const fn array(name: &'static str, description: &'static str) -> Self {
        Self::new(name, Kind::Array, description)
    }

    /// It must be given.
    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// The only values accepted.
    pub const fn choices(self, choices: &'static [&'static str]) -> Self {
        Self { choices, ..self }
    }

    /// What its absence means, as JSON.
    pub const fn default(self, json: &'static str) -> Self {
        Self { default: Some(json), ..self }
    }

    /// A value that works, as JSON.
    pub const fn example(self, json: &'static str) -> Self {
        Self { example: Some(json), ..self }
    }

    fn describe(&self) -> contract::Parameter {
        contract::Parameter {
            name: self.name.into(),
            kind: self.kind,
            required: self.required,
            description: self.description.into(),
            choices: self.choices.iter().map(|&choice| choice.into()).collect(),
            default: self.default.map(Into::into),
            example: self.example.map(Into::into),
        }
    }
}

/// A request a function may send.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    methods: &'static [&'static str],
    origin: &'static str,
    path: &'static str,
    rate_group: Option<&'static str>,
    finding: bool,
}

impl Rule {
    /// These methods on this path pattern of the account's URL.
    pub const fn new(methods: &'static [&'static str], path: &'static str) -> Self {
        Self { methods, origin: "base", path, rate_group: None, finding: false }
    }

    /// GET
    pub const fn get(path: &'static str) -> Self {
        Self::new(&["GET"], path)
    }

    /// POST
    pub const fn post(path: &'static str) -> Self {
        Self::new(&["POST"], path)
    }

    /// PUT
    pub const fn put(path: &'static str) -> Self {
        Self::new(&["PUT"], path)
    }

    /// PATCH
    pub const fn patch(path: &'static str) -> Self {
        Self::new(&["PATCH"], path)
    }

    /// DELETE
    pub const fn delete(path: &'static str) -> Self {
        Self::new(&["DELETE"], path)
    }

    /// On another of the provider's origins.
    pub const fn on(self, origin: &'static str) -> Self {
        Self { origin, ..self }
    }

    /// Counted against this rate group instead of the function's.
    pub const fn rate_group(self, name: &'static str) -> Self {
        Self { rate_group: Some(name), ..self }
    }

    /// Sent only to find out whether an earlier write happened: for [`Function::traced`].
    pub const fn finding(self) -> Self {
        Self { finding: true, ..self }
    }

    pub(crate) fn describe(&self) -> contract::OutboundRule {
        contract::OutboundRule {
            finding: self.finding,
            methods: self.methods.iter().map(|&method| method.into()).collect(),
            origin: self.origin.into(),
            path: self.path.into(),
            rate_group: self.rate_group.map(Into::into),
        }
    }
}
