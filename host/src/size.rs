//! How much there is to compile in a component, read off its sections before any of it is compiled: a compiler has no
//! limits of its own, and its time and memory grow with the code, and faster than a single function's size.

use wasmparser::{Parser, Payload};

/// Modules and components inside the component, itself included. A Rust component has four, a Python one a few dozen.
const PARTS: usize = 256;
/// Functions in all. CPython has twelve thousand.
const FUNCTIONS: u64 = 100_000;
/// Types in all, of modules and of components.
const TYPES: u64 = 100_000;
/// Bytes of code in all.
const CODE: u64 = 24 << 20;
/// Bytes of one function. CPython's interpreter loop, the largest function there is in practice, has a sixth of it.
const FUNCTION: u64 = 512 << 10;

/// Why a component is not compiled.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum SizeError {
    #[error("it is made of more than {PARTS} modules and components")]
    Parts,
    #[error("it has more than {FUNCTIONS} functions")]
    Functions,
    #[error("it has more than {TYPES} types")]
    Types,
    #[error("it has more than {} MiB of code", CODE >> 20)]
    Code,
    #[error("one of its functions has more than {} KiB of code", FUNCTION >> 10)]
    Function,
    /// Not even its sections can be told apart.
    #[error("{0}")]
    Malformed(String),
}

/// Whether the component may be compiled.
///
/// # Errors
/// What there is too much of.
pub(crate) fn check(component: &[u8]) -> Result<(), SizeError> {
    let mut size = Size::default();
    for payload in Parser::new(0).parse_all(component) {
        size.add(&payload.map_err(|error| SizeError::Malformed(error.to_string()))?);
        size.within()?;
    }
    Ok(())
}

#[derive(Default)]
struct Size {
    parts: usize,
    functions: u64,
    types: u64,
    code: u64,
    largest: u64,
}

impl Size {
    fn add(&mut self, payload: &Payload<'_>) {
        match payload {
            Payload::Version { .. } => self.parts += 1,
            Payload::FunctionSection(functions) => self.functions += u64::from(functions.count()),
            Payload::TypeSection(types) => self.types += u64::from(types.count()),
            Payload::CoreTypeSection(types) => self.types += u64::from(types.count()),
            Payload::ComponentTypeSection(types) => self.types += u64::from(types.count()),
            Payload::CodeSectionStart { size, .. } => self.code += u64::from(*size),
            Payload::CodeSectionEntry(body) => self.largest = self.largest.max(body.range().len() as u64),
            _ => {}
        }
    }

    fn within(&self) -> Result<(), SizeError> {
        let limits = [
            (self.parts <= PARTS, SizeError::Parts),
            (self.functions <= FUNCTIONS, SizeError::Functions),
            (self.types <= TYPES, SizeError::Types),
            (self.code <= CODE, SizeError::Code),
            (self.largest <= FUNCTION, SizeError::Function),
        ];
        limits.into_iter().find_map(|(holds, error)| (!holds).then_some(error)).map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(mut value: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while value >= 0x80 {
            bytes.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        bytes.push(value as u8);
        bytes
    }

    fn section(id: u8, content: &[u8]) -> Vec<u8> {
        [vec![id], number(content.len()), content.to_vec()].concat()
    }

    /// So many entries, each of these bytes.
    fn list(count: usize, entry: &[u8]) -> Vec<u8> {
        [number(count), entry.repeat(count)].concat()
    }

    /// A function of so many bytes: no locals, instructions that do nothing, the end.
    fn body(length: usize) -> Vec<u8> {
        let code = [vec![0], vec![0x01; length - 2], vec![0x0b]].concat();
        [number(length), code].concat()
    }

    fn module(sections: &[Vec<u8>]) -> Vec<u8> {
        let whole = [b"\0asm\x01\0\0\0".to_vec(), sections.concat()].concat();
        section(1, &whole)
    }

    fn functions(count: usize, length: usize) -> Vec<u8> {
        let types = section(1, &list(1, &[0x60, 0, 0]));
        module(&[types, section(3, &list(count, &[0])), section(10, &list(count, &body(length)))])
    }

    #[track_caller]
    fn ends_as(parts: &[Vec<u8>], expected: Result<(), SizeError>) {
        assert_eq!(check(&[b"\0asm\x0d\0\x01\0".to_vec(), parts.concat()].concat()), expected);
    }

    #[test]
    fn a_component_has_bounds_of_every_kind() {
        ends_as(&[], Ok(()));
        ends_as(&[functions(1000, 100)], Ok(()));
        ends_as(&vec![module(&[]); PARTS - 1], Ok(()));
        ends_as(&vec![module(&[]); PARTS], Err(SizeError::Parts));
        ends_as(&[functions(60_000, 2)], Ok(()));
        ends_as(&[functions(60_000, 2), functions(60_000, 2)], Err(SizeError::Functions));
        ends_as(&[module(&[section(1, &list(100_001, &[0x60, 0, 0]))])], Err(SizeError::Types));
        ends_as(&[functions(1, 512 << 10)], Ok(()));
        ends_as(&[functions(1, (512 << 10) + 1)], Err(SizeError::Function));
        ends_as(&vec![functions(30, 400 << 10); 2], Ok(()));
        ends_as(&vec![functions(30, 400 << 10); 3], Err(SizeError::Code));
    }

    #[test]
    fn what_cannot_be_read_is_malformed() {
        assert!(matches!(check(b"\0asm\x0d\0\x01\0\x01\x7f"), Err(SizeError::Malformed(_))));
    }
}
