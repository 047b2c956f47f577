//! Writes happen when the operator said so, and not otherwise.

use super::{eval, kosmo};
use kosmo_tests::Scenario;
use serde_json::{Value, json};

const SEND: &str = "print('sending') return app.integrations.ringcentral.send_sms({from = '+16505551234', to = \
     '+16505559876', text = 'Hello'}).messageStatus";

fn bypassed(envelope: &Value) -> bool {
    envelope["meta"]["permission_bypassed"].as_bool().expect("a key of every envelope")
}

#[test]
fn a_write_is_refused_with_its_cure_until_somebody_allows_it() {
    let scenario = Scenario::new();
    let (code, envelope) = eval(&scenario, SEND, &[]);
    assert_eq!(
        (code, &envelope["fault"]["code"], &envelope["output"]),
        (1, &json!("approval_required"), &json!("sending"))
    );
    let sentence = "Integration 'ringcentral' write requires approval. Ask the user to change the permission in \
         /settings → Integrations (`write = \"allow\"` under [permissions.ringcentral] in config.toml: kosmo \
         integrations:configure ringcentral --write=allow), or to run this once with --force.";
    assert_eq!((&envelope["error"], bypassed(&envelope)), (&json!(sentence), false));
    assert_eq!(scenario.simulator.requests().len(), 0);

    let (code, envelope) = eval(&scenario, SEND, &["--force"]);
    assert_eq!((code, &envelope["result"], bypassed(&envelope)), (0, &json!(["Queued"]), true));

    scenario.configure("[permissions.ringcentral]\nwrite = \"allow\"\n");
    let (code, envelope) = eval(&scenario, SEND, &[]);
    assert_eq!((code, &envelope["result"], bypassed(&envelope)), (0, &json!(["Queued"]), false));
    assert_eq!(scenario.simulator.sms_sent().len(), 2);
}

#[test]
fn what_is_denied_is_refused_to_reads_and_writes_alike_unless_forced() {
    let scenario = Scenario::new();
    scenario.configure("[permissions.ringcentral]\nread = \"deny\"\nwrite = \"deny\"\n");
    let read = "return app.integrations.ringcentral.get_current_user({}).id ~= nil";
    let (code, envelope) = eval(&scenario, read, &[]);
    let sentence = "Integration 'ringcentral' read access denied. Enable it in /settings → Integrations (`read = \"allow\"` under [permissions.ringcentral] in config.toml: kosmo integrations:configure ringcentral --read=allow).";
    assert_eq!((code, &envelope["fault"]["code"], &envelope["error"]), (1, &json!("denied"), &json!(sentence)));
    assert_eq!(eval(&scenario, SEND, &[]).1["fault"]["code"], "denied");
    assert_eq!(scenario.simulator.requests().len(), 0);
    assert_eq!(eval(&scenario, read, &["--force"]).1["result"], json!([true]));
    assert_eq!(
        eval(&scenario, "return app.integrations.dialpad.get_current_user({}).id ~= nil", &[]).0,
        0,
        "other providers are not concerned"
    );
}

#[test]
fn force_overrides_permissions_and_nothing_else() {
    let scenario = Scenario::new();
    let fault = |code: &str| eval(&scenario, code, &["--force"]).1["fault"]["code"].clone();
    assert_eq!(fault("app.integrations.ringcentral.send_sms({text = 'x'})"), "invalid_argument");
    assert_eq!(fault("app.integrations.ringcentral.nowhere.send_sms({})"), "unknown");
    assert_eq!(
        fault("app.integrations.ringcentral.api_delete({path = '/restapi/v1.0/account/~/extension/~/message-store'})"),
        "invalid_argument"
    );
    assert_eq!(scenario.simulator.requests().len(), 0);
    let usage = kosmo(&scenario, &["integrations:lua", "--force", "--json"]);
    assert_eq!((usage.code, &usage.json()["meta"]), (2, &json!({"permission_bypassed": true})));
}
