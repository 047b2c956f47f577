//! The ids and numbers of the one company behind all three tokens.

pub(super) const COMPANY: &str = "4508591728425653";
pub(super) const OFFICE: &str = "6422934115149452";
pub(super) const OFFICE_NUMBER: &str = "+14155551000";
/// A department that texts can be sent from.
pub(super) const DEPARTMENT: &str = "5220648944236254";
pub(super) const DEPARTMENT_NUMBER: &str = "+14155551200";
