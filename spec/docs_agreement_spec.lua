-- The manual, the docstrings, the headers and the run-time tables say the same
-- of the same functions.
local agreement = require "docs.site.agreement"
local helper = require "spec.helper"
local manual = require "docs.site.manual"
local types = require "docs.site.types"

describe("every public function", function()
    it("of Lua is documented twice, and alike", function()
        assert.same({}, agreement.lua(helper.root))
    end)

    it("of Lua has its options in the manual, and what is in these", function()
        local file = assert(io.open(helper.root .. "/docs/API.md"))
        local text = file:read "*a"
        file:close()
        local wrong, count = agreement.options(helper.root, text)
        assert.same({}, wrong)
        assert.is_true(count > 200, count)
        for _, name in ipairs { "max_connections", "trusted" } do
            local less = text:gsub(name, "")
            local found = agreement.options(helper.root, less)
            assert.matches("no option `" .. name, found[1] or "", 1, true)
        end
    end)

    it("of C has a comment", function()
        assert.same({}, agreement.c(helper.root))
    end)
end)

describe("agreement.entry", function()
    local function param(name, kind, optional)
        return { name = name, type = kind, optional = optional or false }
    end

    -- What is wrong with a docstring of these parameters and results under
    -- this heading of the manual.
    local function wrong(heading, params, returns)
        local entry = manual.parse("## X\n### `quoll.x(" .. heading
            .. ")`\n")[1]
        return agreement.entry { name = entry.name, manual = entry, item = {
            kind = "function", text = "Does it.", params = params,
            returns = returns or {} } }
    end

    it("is content with what agrees", function()
        assert.same({}, wrong("a, b[, c[, options]]", { param("a", "int"),
            param("b", "string|{int,...}"), param("c", "any", true),
            param("opts", "table", true) }, { { { type = "Connection" } } }))
        assert.same({}, wrong("fn, ...", { param("fn", "func"),
            param("...", "any") }))
        assert.same({}, wrong("[middleware, ...] handler", {
            param("...", "func") }))
        -- nil will do, but something has to be written there
        assert.same({}, wrong("s, fn", { param("s", "number", true),
            param("fn", "func") }))
    end)

    it("tells of another name, of what is optional, of one too many", function()
        for heading, params in pairs {
            ["a"] = { param("b", "int") },
            ["a[, b]"] = { param("a", "int"), param("b", "int") },
            ["a, b"] = { param("a", "int"), param("b", "int", true) },
            ["a, b, c"] = { param("a", "int"), param("b", "int") },
            [""] = { param("a", "int") },
        } do
            local words = wrong(heading, params)
            assert.equal(1, #words, heading)
            assert.matches("^quoll%.x: the manual has %(", words[1])
        end
    end)

    it("tells of a missing and of an unknown type", function()
        assert.same({ "quoll.x: parameter a: no type",
            "quoll.x: result 'it': Thingy is no type" },
            wrong("a", { param("a") },
                { { { type = "int|Thingy", text = "it" } } }))
    end)
end)

describe("manual.option", function()
    local entries = manual.parse [[
## One
* `far`: of the section
### `quoll.a([options])`
| option | default | |
|---|---|---|
| `size`, `length` | 5 | bytes |
| `kind` | | what it is |

* `rest`: in
  two lines;
* `other`: last.

### `quoll.b()`
* `size`: of b
]]

    it("finds rows and list items, the nearest", function()
        for option, words in pairs { size = "bytes (5)", length = "bytes (5)",
            kind = "what it is", rest = "in two lines", other = "last",
            far = "of the section", none = "" } do
            assert.equal(words, manual.option(entries[1], option))
        end
    end)
end)

describe("types.luacats", function()
    it("translates", function()
        for given, expected in pairs {
            int = "integer", func = "function", ["nil"] = "nil",
            ["string|number|table"] = "string|number|table",
            ["{string,...}|string"] = "string[]|string",
            Connection = "quoll.Connection", ["{File,...}"] = "quoll.File[]",
            ["{string|int,...}"] = "(string|integer)[]",
        } do
            assert.equal(expected, types.luacats(given))
        end
        assert.same({ nil, "Thingy" }, { types.luacats "int|Thingy" })
    end)
end)
