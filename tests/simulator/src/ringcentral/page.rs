//! Numbered pages, with the links to the pages around them.

use form_urlencoded::Serializer;
use serde_json::{Map, Value, json};

use super::RingCentral;
use crate::request::Request;
use crate::shape::Query;

const PAGE: usize = 100;
const LARGEST_PAGE: usize = 1000;

/// Whether a list tells how many records and pages there are. The call logs do not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Totals {
    Told,
    Untold,
}

/// The page that a request asks for.
pub(super) struct Page<'a> {
    request: &'a Request,
    number: usize,
    size: usize,
    totals: Totals,
}

impl<'a> Page<'a> {
    /// Sizes above 1000 are lowered to it, as documented.
    pub(super) fn of(request: &'a Request, query: &Query, totals: Totals) -> Page<'a> {
        let count = |name| query.integer(name).and_then(|count| usize::try_from(count).ok());
        let size = if query.text("perPage") == Some("max") { LARGEST_PAGE } else { count("perPage").unwrap_or(PAGE) };
        Page { request, number: count("page").unwrap_or(1).max(1), size: size.clamp(1, LARGEST_PAGE), totals }
    }

    /// The answer's members, of which a list may add its own.
    pub(super) fn answer<T>(
        &self,
        rc: &RingCentral,
        matching: &[T],
        render: impl Fn(&T) -> Value,
    ) -> Map<String, Value> {
        let start = (self.number - 1).saturating_mul(self.size).min(matching.len());
        let shown = &matching[start..matching.len().min(start + self.size)];
        let mut answer = Map::new();
        answer.insert("uri".to_owned(), json!(self.link(rc, self.number)));
        answer.insert("records".to_owned(), shown.iter().map(render).collect());
        answer.insert("paging".to_owned(), self.paging(start, shown.len(), matching.len()));
        answer.insert("navigation".to_owned(), self.navigation(rc, matching.len()));
        answer
    }

    fn paging(&self, start: usize, shown: usize, total: usize) -> Value {
        let mut paging = json!({"page": self.number, "perPage": self.size});
        if shown > 0 {
            paging["pageStart"] = json!(start);
            paging["pageEnd"] = json!(start + shown - 1);
        }
        if self.totals == Totals::Told {
            paging["totalPages"] = json!(self.pages(total));
            paging["totalElements"] = json!(total);
        }
        paging
    }

    fn navigation(&self, rc: &RingCentral, total: usize) -> Value {
        let (last, mut links) = (self.pages(total), Map::new());
        let mut link = |name: &str, page| links.insert(name.to_owned(), json!({"uri": self.link(rc, page)}));
        link("firstPage", 1);
        if self.number < last {
            link("nextPage", self.number + 1);
        }
        if self.number > 1 {
            link("previousPage", self.number - 1);
        }
        if self.totals == Totals::Told && last > 0 {
            link("lastPage", last);
        }
        Value::Object(links)
    }

    fn pages(&self, total: usize) -> usize {
        total.div_ceil(self.size)
    }

    /// The request's own URL at another page.
    fn link(&self, rc: &RingCentral, page: usize) -> String {
        let mut query = Serializer::new(String::new());
        query.extend_pairs(self.request.query.iter().filter(|(name, _)| name != "page" && name != "perPage"));
        query.append_pair("page", &page.to_string()).append_pair("perPage", &self.size.to_string());
        format!("{}{}?{}", rc.base, self.request.path, query.finish())
    }
}
