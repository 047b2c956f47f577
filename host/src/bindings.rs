//! The contract as generated from `wit/plugin.wit`, and nothing else.

#![expect(missing_docs, reason = "generated from the contract, which documents every item")]

// Only what a plugin exports: what it may import is linked in `imports`, interface by interface.
wasmtime::component::bindgen!({
    path: "../wit",
    inline: "package kosmo:host; world plugin { export kosmo:plugin/provider@0.1.0; }",
    world: "kosmo:host/plugin",
    exports: { default: async },
    additional_derives: [PartialEq, serde::Serialize, serde::Deserialize],
});

pub use self::kosmo::plugin::types as contract;
