-- The stubs for editors, as a language server reads them: each annotation by
-- its grammar, each type declared, each parameter its function's.
local helper = require "spec.helper"
local luacats = require "spec.support.luacats"

describe("the stubs", function()
    local files, known

    setup(function()
        files = require("docs.site.stubs").files(
            require("docs.site.api").read(helper.root), "0.0.0")
        local texts = {}
        for path, text in pairs(files) do
            texts[#texts + 1] = path:find "%.lua$" and text or nil
        end
        known = luacats.known(texts)
    end)

    it("are understood, every line of them", function()
        local functions = 0
        for path, text in pairs(files) do
            if path:find "%.lua$" then
                assert.same({}, luacats.errors(text, known), path)
                functions = functions + select(2, text:gsub("\nfunction ", ""))
            end
        end
        assert.is_true(functions > 250, functions)
    end)
end)

describe("the reader of annotations", function()
    local known = luacats.known { "---@class quoll.Task\n" }

    for _, text in ipairs {
        "---@param a string\n---@param b? quoll.Task|number words\n"
            .. "function f(a, b) end\n",
        "---@param ... any\n---@return table<string, integer[]> # it\n"
            .. "function f(...) end\n",
        "---@return (string|quoll.Task)? err # why\n---@return self\n"
            .. "function a.b:f() end\n",
        '---@param a fun(x: number, y?: "r"|"w"): boolean\n'
            .. "function f(a) end\n",
        "---@class A: table\n---@field a? { [1]: string, b: 7 } words\n"
            .. "---@operator call: any\nlocal A = {}\n",
    } do
        it("takes " .. text:match "[^\n]*", function()
            assert.same({}, luacats.errors(text, known))
        end)
    end

    for text, why in pairs {
        ["---@param a strin\nfunction f(a) end\n"] = "unknown type strin",
        ["---@param a table<string\nfunction f(a) end\n"] = "no >",
        ["---@param a string|\nfunction f(a) end\n"] = "no type",
        ["---@param a (string\nfunction f(a) end\n"] = "no )",
        ["---@param a string]\nfunction f(a) end\n"] = "no blank",
        ["---@param b string\nfunction f(a) end\n"] = "other parameters than",
        ["---@param a string\nfunction f(a, b) end\n"] = "other parameters",
        ["---@param a string\nlocal a\n"] = "annotates no function",
        ["---@params a string\nfunction f(a) end\n"] = "unknown tag",
        ["---@return string the words\nfunction f() end\n"] = "neither a name",
        ["---@field a string\nlocal a = {}\n"] = "fields of no class",
        ["---@class A B\nlocal A = {}\n"] = "more than a class",
        ["function f(a end\n"] = "expected",
    } do
        it("refuses " .. text:match "[^\n]*", function()
            assert.matches(why, luacats.errors(text, known)[1], 1, true)
        end)
    end
end)
