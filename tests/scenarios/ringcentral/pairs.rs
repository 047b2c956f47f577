//! `api_*` and the functions with a name of their own: what is denied by name stays denied.

use kosmo::{Code, Function};
use kosmo_tests::{Echo, Scenario};

/// `api_get` and the others, with the method each sends.
const GENERIC: [(&str, &str); 4] =
    [("api_get", "GET"), ("api_post", "POST"), ("api_put", "PUT"), ("api_delete", "DELETE")];

/// An `api_*` function, a named one, and a path that both may send by the same method.
struct Pair {
    generic: &'static str,
    named: String,
    path: String,
}

impl Pair {
    fn script(&self) -> String {
        let payload = if self.generic == "api_get" { "" } else { ", payload = { text = 'x' }" };
        format!("return app.integrations.ringcentral.{}({{ path = '{}'{payload} }})", self.generic, self.path)
    }
}

/// Every pair there is, out of what the plugin declares.
fn pairs(scenario: &Scenario) -> Vec<Pair> {
    let provider = scenario.host().provider("ringcentral").expect("the plugin");
    let named = provider.description().functions.iter().filter(|function| !function.name.starts_with("api_"));
    named.flat_map(of).collect()
}

fn of(function: &Function) -> Vec<Pair> {
    let all = GENERIC
        .iter()
        .flat_map(|generic| function.requests.iter().filter(|rule| !rule.finding).map(move |rule| (generic, rule)));
    let shared = all.filter(|((_, method), rule)| rule.methods.iter().any(|known| known == method));
    let pair = |path: &str, generic| Pair { generic, named: function.name.clone(), path: path.replace("{}", "1") };
    shared.map(|((generic, _), rule)| pair(&rule.path, generic)).collect()
}

const WRITES: &str = "[permissions.ringcentral]\nwrite = \"allow\"\n";

/// What is sent here is no request of RingCentral's, only one that a rule covers.
fn at(echo: &Echo, besides: &str) -> String {
    let url = echo.url();
    format!("[accounts.ringcentral.default]\nurl = \"{url}\"\naccess_token = \"any\"\n{besides}")
}

#[test]
fn what_is_denied_by_name_cannot_be_done_by_path() {
    let (scenario, echo) = (Scenario::new(), Echo::start());
    let pairs = pairs(&scenario);
    assert!(GENERIC.iter().all(|(generic, _)| pairs.iter().any(|pair| pair.generic == *generic)));
    for pair in &pairs {
        let (script, named) = (pair.script(), &pair.named);
        let sent = echo.received().len();
        let denied = format!("{WRITES}[permissions.ringcentral.functions]\n{named} = \"deny\"\n");
        scenario.write("config.toml", &at(&echo, &denied));
        let fault = scenario.fault(&script);
        assert_eq!(fault.code, Code::Denied, "{script} {named}: {fault}");
        assert!(fault.message.contains(&format!("which is what {named} does")), "{script} {named}: {fault}");
        let cure = format!("`{named} = \"allow\"` under [permissions.ringcentral.functions] in config.toml");
        assert!(fault.message.contains(&cure), "{script} {named}: {fault}");
        assert_eq!(echo.received().len(), sent, "{script} {named}");

        scenario.write("config.toml", &at(&echo, WRITES));
        scenario.run(&script);
        assert_eq!(echo.received().len(), sent + 1, "{script} is sent when nothing is denied");
    }
}

#[test]
fn what_is_denied_by_path_can_still_be_done_by_name() {
    let scenario = Scenario::new();
    scenario.configure(&format!(
        "{WRITES}[permissions.ringcentral.functions]\napi_delete = \"deny\"\napi_get = \"deny\"\n"
    ));
    scenario.value("return app.integrations.ringcentral.delete_message({ message_id = '1234567890' })");
    scenario.value("return app.integrations.ringcentral.get_current_user({})");
    assert_eq!(scenario.sent().len(), 2);
}
