//! The simulator over plain HTTP: what a client sees, and what it is refused.

mod binary;
mod client;
mod dialpad;
mod knobs;
mod ringcentral;
