//! A kosmo plugin to start from: the current weather, from Open-Meteo's public API.
//!
//! A plugin is three things: what it is ([`About`]), what it can do (a table of [`Function`]s), and one plain Rust
//! function behind each. Copy this folder, rename it, and change the three from top to bottom. `README.md` says how
//! to build and install it.

use kosmo_plugin::{About, Fault, Function, Invocation, Parameter, Plugin, Request, Rule};

/// Implement [`Plugin`] on any type; it is never created.
pub struct Weather;

impl Plugin for Weather {
    /// The name is the component file's name, and how scripts say it: `app.integrations.weather`. The URL is where
    /// requests go unless the operator gives an account another one. This API wants no credential; one that does
    /// adds `.authentication(Authentication::Bearer("access_token"), &[CredentialField::secret(…)])`. The host
    /// attaches the secret after this code has run: a plugin never sees it.
    const ABOUT: About = About::new("weather", "Weather", "https://api.open-meteo.com")
        .category("information")
        .version(env!("CARGO_PKG_VERSION"))
        .summary("The current weather anywhere on Earth.")
        .guide(include_str!("../guide.md"));

    /// One constant per function, in the order readers should meet them.
    const FUNCTIONS: &'static [Function] = &[CURRENT];
}

/// `read` changes nothing and is allowed by default; `write` needs the operator's permission.
const CURRENT: Function = Function::read("current", "The current weather at a place.")
    .description("Returns Open-Meteo's answer. `current_weather` has `temperature` (°C) and `windspeed` (km/h).")
    // The host checks names, kinds, choices and required parameters before it runs any plugin code.
    .parameters(&[
        Parameter::number("latitude", "Degrees north of the equator, -90 to 90.").required().example("59.91"),
        Parameter::number("longitude", "Degrees east of Greenwich, -180 to 180.").required().example("10.75"),
    ])
    // Every request it can send. The host refuses any other, whatever this code tries.
    .requests(&[Rule::get("/v1/forecast")])
    .runs(current);

/// Sends the request; `success` gives the body of a 2xx answer and turns any other status into the fault it means.
/// The closure finds the provider's own words in its error envelope, here `{"error": true, "reason": "…"}`.
fn current(invocation: &Invocation) -> Result<String, Fault> {
    request(invocation)?.send()?.success(|body| Some((None, body.get("reason")?.as_str()?.into())))
}

/// From arguments to a request, apart from sending it, so that a test can look at it. `url` and `query` encode what
/// they are given.
fn request(invocation: &Invocation) -> Result<Request, Fault> {
    Ok(Request::get(invocation.url(&["v1", "forecast"]))
        .query("latitude", Some(degrees(invocation, "latitude", 90)?))
        .query("longitude", Some(degrees(invocation, "longitude", 180)?))
        .query("current_weather", Some(true)))
}

/// Check what only you can know, and name the parameter, what is expected, and an example: an agent reads it and tries
/// again. Such a fault is raised before anything was sent.
fn degrees(invocation: &Invocation, name: &str, most: i32) -> Result<String, Fault> {
    let degrees =
        invocation.argument(name).filter(|value| value.as_f64().is_some_and(|value| value.abs() <= most.into()));
    degrees
        .map(ToString::to_string)
        .ok_or_else(|| Fault::argument(name, format!("expected -{most} to {most}, for example 10.75")))
}

#[cfg(target_family = "wasm")]
kosmo_plugin::export!(Weather with_types_in kosmo_plugin::bindings);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_becomes_a_query() {
        let invocation = Invocation::test("current", r#"{"latitude": 59.91, "longitude": -10.75}"#);
        let request = request(&invocation).expect("a place on Earth");
        let query = "latitude=59.91&longitude=-10.75&current_weather=true";
        assert_eq!(request.url(), format!("https://provider.test/v1/forecast?{query}"));
    }

    #[test]
    fn a_place_beyond_the_poles_is_refused() {
        let invocation = Invocation::test("current", r#"{"latitude": 91, "longitude": 0}"#);
        assert!(matches!(request(&invocation), Err(Fault::InvalidArgument(error)) if error.parameter == "latitude"));
    }
}
