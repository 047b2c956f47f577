//! Whether a server may be asked: trust, permissions, somebody's word, and force.

use super::{McpInvocation, Servers};
use crate::approval::{Question, Topic};
use crate::audit::Trail;
use crate::clip::{NAME, clipped};
use crate::description::Operation;
use crate::fault::{Code, Fault};
use crate::mcp::McpPolicy;
use crate::mcp::config::Server;
use crate::permission::Decision;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Whoever was given integrations only learns of no server, not even whether there is one of a name.
pub(super) fn check_scope(asked: &McpInvocation) -> Result<(), Fault> {
    if !asked.is_scoped {
        return Ok(());
    }
    let name = clipped(&asked.server, NAME);
    let message = format!("MCP server '{name}' is out of reach for this client, which was given integrations only");
    Err(Fault::new(Code::Denied, message))
}

/// What leave is asked for.
pub(super) struct Asks<'a> {
    /// None is meant by an empty one.
    pub(super) tool: &'a str,
    pub(super) operation: Operation,
    pub(super) arguments: &'a Map<String, Value>,
}

impl Servers {
    /// Whether it is there to be used: enabled, and reviewed if it came with a project.
    pub(super) fn check_use(&self, server: &Server, asked: &McpInvocation) -> Result<(), Fault> {
        let name = &server.name;
        if !server.enabled {
            let message = format!("MCP server '{name}' is disabled. Enable it with: kosmo mcp:enable {name}");
            return Err(Fault::new(Code::Unconfigured, message));
        }
        self.policy().check_trust(server).or_else(|fault| self.forced(asked.force, fault))
    }

    /// Whether a server that would only be started to be refused everything needs to be started.
    pub(super) fn check_open(&self, server: &Server, tool: &str, force: bool, trail: &Trail) -> Result<(), Fault> {
        if force || !self.policy().denies_everything(server.holder()) {
            return Ok(());
        }
        let ruling = self.policy().decide(server.holder(), tool, Operation::Write);
        trail.known(&server.fingerprint, tool, Operation::Write);
        trail.permission(ruling.verdict(false), &ruling.rule)?;
        ruling.check(&server.name, Operation::Write, false)
    }

    /// That there is no such tool, with the names of others only for whoever may list them.
    pub(super) fn discreet(&self, server: &Server, tool: &str, force: bool, unknown: Fault) -> Fault {
        let ruling = self.policy().decide(server.holder(), "", Operation::Read);
        if force || ruling.decision == Decision::Allow {
            return unknown;
        }
        let message = format!(
            "Unknown function: app.mcp.{}.{}. What there is may not be listed ({})",
            server.name,
            clipped(tool, NAME),
            ruling.rule
        );
        Fault { message, ..unknown }
    }

    /// Whether the permission lets be seen or read what is asked for, put on record.
    pub(super) async fn check_reading(
        &self,
        server: &Server,
        asked: &McpInvocation,
        trail: &Arc<Trail>,
    ) -> Result<(), Fault> {
        let arguments = asked.request.arguments();
        trail.took(&arguments);
        self.check(server, Asks { tool: "", operation: Operation::Read, arguments: &arguments }, asked, trail).await
    }

    /// Whether the permission lets it be used, put on record.
    pub(super) async fn check(
        &self,
        server: &Server,
        asks: Asks<'_>,
        asked: &McpInvocation,
        trail: &Arc<Trail>,
    ) -> Result<(), Fault> {
        let Asks { tool, operation, .. } = asks;
        trail.known(&server.fingerprint, asked.request.name(), operation);
        let ruling = self.policy().decide(server.holder(), tool, operation);
        if let Some(approvals) = asked.approvals.as_ref().filter(|_| ruling.decision == Decision::Ask && !asked.force) {
            let answer = approvals.ask(&self.question(server, &asks, asked, &ruling.rule)).await;
            trail.permission(answer.into(), &answer.after(&ruling.rule))?;
            return ruling.answered(&server.name, operation, answer);
        }
        let checked = ruling.check(&server.name, operation, false);
        match checked.or_else(|fault| self.forced(asked.force, fault)) {
            Ok(()) => trail.permission(ruling.verdict(asked.force), &ruling.rule),
            Err(fault) => {
                trail.permission(ruling.verdict(false), &ruling.rule)?;
                Err(fault)
            }
        }
    }

    fn question(&self, server: &Server, asks: &Asks<'_>, asked: &McpInvocation, rule: &str) -> Question {
        let (name, topic) = match asks.tool {
            "" => (asked.request.method(), Topic::Reading),
            tool => (tool, Topic::Tool),
        };
        Question {
            arguments: self.surroundings.secrets.scrubbed_object(asks.arguments),
            rehearsed: asked.rehearse.covers(asks.operation),
            ..Question::of_server(&server.name, topic, name, asks.operation, rule)
        }
    }

    /// What a refusal comes to where the run is forced.
    fn forced(&self, force: bool, refusal: Fault) -> Result<(), Fault> {
        if !force {
            return Err(refusal);
        }
        let environment = self.surroundings.config.environment("KOSMO_MCP_ALLOW_FORCE");
        self.policy().check_force(environment == Some("1"))
    }

    pub(super) fn policy(&self) -> &McpPolicy {
        self.surroundings.config.mcp()
    }
}
