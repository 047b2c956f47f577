use super::*;

#[test]
fn values_are_written_with_four_spaces_and_stable_keys() {
    prints(
        "print(json.encode({b = {1, 2}, a = 'é/\"', [3] = true}))",
        "{\n    \"3\": true,\n    \"a\": \"é/\\\"\",\n    \"b\": [\n        1,\n        2\n    ]\n}",
    );
    prints(
        "print(json.encode({}), json.encode(json.decode('{}')), json.encode(nil), json.encode(json.null))",
        "[]\t{}\tnull\tnull",
    );
    prints(
        "print(json.encode(5), json.encode(1.5), json.encode('x'), json.encode({1}, {pretty = false}))",
        "5\t1.5\t\"x\"\t[1]",
    );
    prints("local o = json.decode('{}') o.a = 1 print(json.encode(o, {pretty = false}))", "{\"a\":1}");
}

#[test]
fn text_is_read() {
    prints(
        "local v = json.decode('{\"a\":[1,null,{\"b\":12345678901234567890}]}') print(v.a[1], v.a[2] == json.null, v.a[3].b)",
        "1\ttrue\t12345678901234567890",
    );
    prints("print(json.decode('null'))", "nil");
    prints("print(pcall(json.decode, '{'))", "false\tjson.decode: EOF while parsing an object at line 1 column 1");
    fails("json.decode(nil)", "test.lua:1: json.decode: expected string, got nil");
    fails("json.decode({})", "json.decode: expected string, got table");
    fails("json.decode('[1,]')", "json.decode: trailing comma at line 1 column 4");
    fails("json.decode(('['):rep(200))", "json.decode: recursion limit exceeded");
}

#[test]
fn what_cannot_be_written_is_refused_by_path() {
    fails("json.encode(print)", "test.lua:1: json.encode: the value is a function");
    fails("json.encode({a = {0/0}})", "json.encode: a[1] is NaN");
    fails("json.encode({{f = print}})", "json.encode: value[1].f is a function");
    fails("local t = {} t.t = t json.encode(t)", "json.encode: t contains itself");
    fails("json.encode({[{}] = 1})", "json.encode: the value has the key [table");
    fails("json.encode({}, 5)", "json.encode: expected a table of options, got number");
    fails("json.encode({}, {indent = 2})", "json.encode: the only option is pretty = false, got indent");
}
