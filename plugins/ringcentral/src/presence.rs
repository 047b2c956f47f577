//! Presence of the token's extension.

use crate::api::{self, send};
use kosmo_plugin::{Fault, Function, Invocation, Parameter, Request, Rule};

pub(crate) const GET_PRESENCE: Function = Function::read("get_presence", "Get the extension's presence.")
    .description(
        "Returns `presenceStatus`, `userStatus`, `dndStatus`, `telephonyStatus` and, with `detailedTelephonyState`, the \
         list `activeCalls`. For extensions without a person (call queues, announcements, …) only `presenceStatus` is \
         there, as `Offline`.",
    )
    .parameters(&[Parameter::boolean("detailedTelephonyState", "Whether to return the state of every active call.")
        .default("false")
        .example("true")])
    .requests(&[Rule::get("/restapi/v1.0/account/{}/extension/{}/presence")])
    .rate_group("light")
    .runs(|invocation| send(get(invocation)));

fn get(invocation: &Invocation) -> Result<Request, Fault> {
    let detailed = invocation.boolean("detailedTelephonyState");
    Ok(Request::get(api::extension(invocation, &["presence"])).query("detailedTelephonyState", detailed))
}

#[cfg(test)]
mod tests {
    use super::get;
    use crate::testing::sends;

    #[test]
    fn get_presence_sends_a_literal_boolean_or_nothing() {
        let row = |arguments: &str, query: &str| {
            sends(get, "get_presence", arguments, &["GET /account/~/extension/~/presence", query].concat());
        };
        row("{}", "");
        row(r#"{"detailedTelephonyState": null}"#, "");
        row(r#"{"detailedTelephonyState": true}"#, "?detailedTelephonyState=true");
        row(r#"{"detailedTelephonyState": false}"#, "?detailedTelephonyState=false");
    }
}
