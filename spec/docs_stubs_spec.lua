-- What editors and man(1) get: made from the docstrings, whole, well formed.
local helper = require "spec.helper"
local api = require "docs.site.api"
local man = require "docs.site.man"
local public = require "docs.site.public"
local stubs = require "docs.site.stubs"

local found, files

setup(function()
    found = api.read(helper.root)
    files = stubs.files(found, "0.0.0")
end)

-- The tables of a stub and its classes, as they are when it is run.
local function run(text)
    local classes = {}
    for name in text:gmatch "\nlocal (%u%w+) = {}" do
        classes[#classes + 1] = ("%s = %s"):format(name, name)
    end
    local chunk = text:gsub("\nreturn (%w+)\n$", "\nreturn %1, {"
        .. table.concat(classes, ", ") .. "}")
    return assert(loadstring(chunk, "=stub"))()
end

-- "a, b, ..."
local function formal(fn)
    local names, info = {}, debug.getinfo(fn, "u")
    for i = 1, info.nparams do
        names[i] = debug.getlocal(fn, i)
    end
    if info.isvararg then
        names[#names + 1] = "..."
    end
    return table.concat(names, ", ")
end

describe("the stubs", function()
    local quoll, classes, busted

    setup(function()
        quoll, classes = run(files["library/quoll.lua"])
        busted = run(files["library/quoll/busted.lua"])
    end)

    local function in_stubs(name)
        local prefix, word = name:match "^(.*)[.:]([%w_]+)$"
        local at = prefix == "busted" and busted or quoll
        if public.classes[prefix] then
            at = classes[public.classes[prefix][1]]
        end
        for part in (prefix:match "^quoll%.(.*)$" or ""):gmatch "[^.]+" do
            at = at[part]
        end
        return at[word]
    end

    it("have every public function with all its parameters", function()
        local count = 0
        for name, value in pairs(public.names()) do
            if type(value) == "function" then
                local entry
                for _, one in ipairs(found.entries) do
                    entry = one.name == name and one or entry
                end
                local names = name:find ":" and { "self" } or {}
                for _, param in ipairs(entry.item.params) do
                    names[#names + 1] = param.name
                end
                assert.equal(table.concat(names, ", "),
                    formal(in_stubs(name)), name)
                count = count + 1
            end
        end
        assert.truthy(count > 250)
    end)

    it("know every class that they name", function()
        for _, text in pairs(files) do
            local known = { }
            for name in files["library/quoll.lua"]:gmatch
                "\n%-%-%-@class ([%w_.]+)" do
                known[name] = true
            end
            for line in text:gmatch "%-%-%-@%l+ ([^\n]*)" do
                local types = line:gsub("#.*", ""):match "^%S*%s*(%S*)"
                for name in types:gmatch "%f[%w]quoll%.[%w_.]+" do
                    assert.truthy(known[name], line)
                end
            end
        end
    end)

    it("say what a failure is, and which options there are", function()
        local text = files["library/quoll.lua"]
        assert.truthy(text:find("---@param opts? quoll.connect.options ", 1,
            true))
        assert.truthy(text:find("\n---@class quoll.connect.options\n"
            .. "---@field bind? string address to connect from\n", 1, true))
        assert.truthy(text:find('---@return quoll.Connection? # the connection,'
            .. ' owned by the running task\n---@return string? err # "timeout"',
            1, true))
        assert.truthy(text:find("---@return string? partial\n"
            .. "---@return string? CODE\nfunction Connection:receive(", 1,
            true))
        assert.truthy(text:find("---@class quoll.Connection: quoll.Handle\n",
            1, true))
    end)
end)

describe("the manual pages", function()
    local disk = require "docs.site.disk"
    local pages

    if os.execute "command -v groff >/dev/null" ~= 0 then
        return pending "no groff"
    end

    setup(function()
        pages = man.files(found, helper.root,
            require("docs.site.c_reference").headers, "0.0.0")
    end)

    it("are what groff takes without a warning", function()
        for name, text in pairs(pages) do
            local path = os.tmpname()
            disk.write(path, text)
            assert.equal("", disk.run("groff -man -Tutf8 -ww -z " .. path
                .. " 2>&1"), name)
            os.remove(path)
        end
    end)

    it("have every function", function()
        local path = os.tmpname()
        for name, words in pairs { ["man7/quoll.7"] = { "NAME",
            "conn:receive([pattern])", "quoll.serve(where, fn[, opts])",
            "SEE ALSO" }, ["man3/quoll.3"] = { "#include <quoll.h>",
            "int ql_await(lua_State *L, ql_op_t *op, int anchors);" } } do
            disk.write(path, pages[name])
            local shown = disk.run("groff -man -Tascii -P-cbou -rLL=200n "
                .. path)
            for _, word in ipairs(words) do
                assert.truthy(shown:find(word, 1, true), word)
            end
        end
        os.remove(path)
    end)
end)
