//! The Model Context Protocol, both ways: scripts reach MCP servers, and MCP clients reach kosmo.

pub mod config;
