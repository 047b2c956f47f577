//! `server.tool`, where both may have dots. Pure.

/// The server and the tool of a path: the longest server's name that it begins with, else what stands before the first
/// dot.
pub fn split<'a>(path: &'a str, servers: impl Iterator<Item = &'a str>) -> Option<(&'a str, &'a str)> {
    let tool = |server: &str| path.strip_prefix(server)?.strip_prefix('.');
    let known = servers.filter_map(|server| Some((server, tool(server)?)));
    known.max_by_key(|(server, _)| server.len()).or_else(|| path.split_once('.')).filter(|(_, tool)| !tool.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_servers_name_counts() {
        let servers = || ["a", "a.b"].into_iter();
        assert_eq!(split("a.b.c.d", servers()), Some(("a.b", "c.d")));
        assert_eq!(split("a.c", servers()), Some(("a", "c")));
        assert_eq!(split("x.y.z", servers()), Some(("x", "y.z")));
        assert_eq!(split("a", servers()), None);
        assert_eq!(split("a.", servers()), None);
    }
}
