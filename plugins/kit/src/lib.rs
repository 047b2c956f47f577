//! What a kosmo plugin written in Rust is made of.
//!
//! A plugin is a table of [`Function`]s with a little [`About`] it:
//!
//! ```no_run
//! use kosmo_plugin::{About, Invocation, Fault, Function, Parameter, Plugin, Request, Rule};
//!
//! struct Weather;
//!
//! impl Plugin for Weather {
//!     const ABOUT: About = About::new("weather", "Weather", "https://api.weather.example")
//!         .summary("Forecasts by city.")
//!         .guide("# Weather\n");
//!     const FUNCTIONS: &'static [Function] = &[Function::read("forecast", "The forecast for a city.")
//!         .parameters(&[Parameter::string("city", "The city's name.").required().example("\"Oslo\"")])
//!         .requests(&[Rule::get("/v1/forecast/{}")])
//!         .runs(forecast)];
//! }
//!
//! fn forecast(invocation: &Invocation) -> Result<String, Fault> {
//!     let city = invocation.text("city").unwrap_or_default();
//!     let url = invocation.url(&["v1", "forecast", city]);
//!     Request::get(url).send()?.success(|_| None)
//! }
//!
//! # #[cfg(target_family = "wasm")]
//! kosmo_plugin::export!(Weather with_types_in kosmo_plugin::bindings);
//! # fn main() {}
//! ```
//!
//! The host has checked names, kinds, choices and required parameters before a function runs, and attaches the
//! credential after it; a plugin only maps arguments to a request, and an answer to JSON or a [`Fault`].

mod about;
mod answer;
mod clock;
mod function;
mod invocation;
mod percent;
mod request;

/// The contract, as generated from `wit/plugin.wit`.
#[expect(missing_docs, reason = "generated from the contract, which documents every item")]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "plugin",
        pub_export_macro: true,
        export_macro_name: "export",
        generate_all,
    });
}

pub use about::{About, Authentication, ClientAuthentication, CredentialField, OAuth2, OAuth2Grant, Origin, RateGroup};
pub use answer::{Answer, ErrorParts};
pub use bindings::export;
pub use bindings::kosmo::plugin::types as contract;
pub use contract::{ArgumentError, Fault, NotReadyError, ProviderError, RateLimitError};
pub use function::{Function, Pagination, Parameter, Rule};
pub use invocation::Invocation;
pub use percent::encode;
pub use request::Request;

/// A plugin: implement this, then `kosmo_plugin::export!(MyPlugin with_types_in kosmo_plugin::bindings);`.
pub trait Plugin {
    /// Everything that is not a function.
    const ABOUT: About;
    /// What it can do, in the order readers should meet it.
    const FUNCTIONS: &'static [Function];
}

impl<P: Plugin> bindings::exports::kosmo::plugin::provider::Guest for P {
    fn describe() -> contract::Description {
        P::ABOUT.describe(P::FUNCTIONS)
    }

    fn invoke(invocation: contract::Invocation) -> Result<contract::Json, Fault> {
        let invocation = Invocation::parse(invocation)?;
        match P::FUNCTIONS.iter().find(|function| function.name == invocation.function()) {
            Some(function) if invocation.lost().is_some() => (function.find)(&invocation),
            Some(function) => (function.run)(&invocation),
            None => Err(Fault::Unsupported(format!("no function `{}`", invocation.function()))),
        }
    }
}
