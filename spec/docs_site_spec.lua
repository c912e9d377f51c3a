-- The site that `make docs` makes: its links, its search, its look.
local browser = require "spec.support.browser"
local disk = require "docs.site.disk"
local header = require "docs.site.header"
local helper = require "spec.helper"
local tasks = require "spec.support.tasks"

local headers = require("docs.site.c_reference").headers

local function flattened(parsed)
    local entries = {}
    for _, section in ipairs(parsed.sections) do
        for _, entry in ipairs(section.entries) do
            entries[#entries + 1] = entry
        end
    end
    return entries
end

describe("a public header", function()
    local function names(path)
        local found = {}
        for _, entry in ipairs(flattened(header.parse(disk.read(path)))) do
            if entry.kind == "function" then
                found[#found + 1] = entry.name
            end
        end
        table.sort(found)
        return found
    end

    for _, path in ipairs(headers) do
        it(path .. ": every function that ctags finds is found", function()
            local known = disk.lines("ctags -x --language-force=C "
                .. "--kinds-C=fp -I 'QL_API QL_COLD QL_PRINTF+' "
                .. "--_xformat=%N " .. helper.root .. "/" .. path
                .. " | sort -u")
            assert.truthy(#known > 50)
            assert.same(known, names(helper.root .. "/" .. path))
        end)
    end
end)

describe("header.parse", function()
    local function parse(text)
        return header.parse(text .. "\n")
    end

    it("gives a comment to the declarations behind it", function()
        local entries = flattened(parse [[
/* Both. */
QL_API int ql_a(void);
QL_API int ql_b(int x,
                int y) QL_COLD;

QL_API int ql_c(void);]])
        assert.same({ "Both.", "Both." },
            { entries[1].words, entries[2].words })
        assert.is_nil(entries[3].words)
        assert.equal("int ql_b(int x,\n                int y);",
            entries[2].text)
    end)

    it("gives one that no declaration follows to the section", function()
        local parsed = parse [[
/* t.h: the head. */
#include <x.h>

/* ---------- part ---- */

/*
 * Of all of them.
 */

struct ql_x_s {
    int (*call)(void); /* { */
};
/* One. */
static inline int
ql_one(ql_x_t *x)
{
    return x->call();
}]]
        assert.equal("t.h: the head.", parsed.words)
        local part = parsed.sections[2]
        assert.equal("part", part.name)
        assert.equal("Of all of them.", part.words)
        assert.same({ "ql_x_t", "ql_one" },
            { part.entries[1].name, part.entries[2].name })
        assert.equal("static inline int ql_one(ql_x_t *x);",
            part.entries[2].text)
    end)

    it("knows types, constants and macros by their names", function()
        local kinds = {}
        for _, entry in ipairs(flattened(parse [[
typedef struct ql_later_s ql_later_t;
typedef struct ql_never_s ql_never_t;
typedef void (*ql_call_pt)(int x);
typedef struct {
    int (*add)(int y);
} ql_actions_t;
enum { QL_ONE = 1, QL_TWO };
#define ql_twice(x) \
    ((x) + (x))
struct ql_later_s {
    int x;
};]])) do
            kinds[#kinds + 1] = entry.kind .. " " .. entry.name
        end
        assert.same({ "opaque ql_never_t", "type ql_call_pt",
            "type ql_actions_t", "enum QL_ONE", "macro ql_twice",
            "type ql_later_t" }, kinds)
    end)
end)

-- No C of quoll's is at work here.
if helper.sanitized or helper.collecting then
    return
end

describe("the site", function()
    local links = require "docs.site.links"
    local out, wrong

    setup(function()
        out = os.tmpname()
        os.remove(out)
        wrong = require("docs.site.build").site(helper.root, out)
    end)

    teardown(function()
        os.execute("rm -rf " .. out)
    end)

    it("has no link that leads nowhere", function()
        assert.same({}, wrong)
        local broken, count = links.broken(out)
        assert.same({}, broken)
        assert.truthy(count > 1000)
    end)

    it("would tell of one", function()
        local path = out .. "/files.html"
        local text = disk.read(path)
        disk.write(path, text .. '<a href="nothing.html">x</a>'
            .. '<a href="api.html#nothing">y</a><b id="main">z</b>')
        local broken = links.broken(out)
        disk.write(path, text)
        assert.same({ "files.html: #main stands 2 times",
            "files.html: api.html#nothing: no such anchor",
            "files.html: nothing.html: no such page" }, broken)
    end)

    it("has every page in the menu of every page", function()
        local menu = {}
        for link in disk.read(out .. "/index.html"):match(
            '<nav id="menu".-</nav>'):gmatch 'href="([%w_/.-]+%.html)"' do
            menu[link] = true
        end
        for _, path in ipairs(disk.lines("cd " .. out
            .. " && find * -name '*.html' ! -path 'source/*'")) do
            assert.truthy(menu[path], path)
        end
    end)

    -- fn(page) with a browser.
    local function in_browser(fn)
        return function()
            if not browser.program() then
                return pending "no Chromium"
            end
            tasks.run(function()
                browser.with(fn)
            end, helper.seconds(60))
        end
    end

    it("fits a phone", in_browser(function(page)
        page:view(390, 844, "light")
        for _, name in ipairs { "index", "api", "design", "vocabulary",
            "reference/lua/connection", "reference/c/quoll.h" } do
            page:open("file://" .. out .. "/" .. name .. ".html")
            assert.equal(390, page:eval
                "document.documentElement.scrollWidth", name)
        end
        page:open("file://" .. out .. "/index.html#menu")
        assert.equal("block", page:eval
            "getComputedStyle(document.getElementById('menu')).display")
    end))

    it("finds functions without a server", in_browser(function(page)
        page:view(1280, 800, "dark")
        page:open("file://" .. out .. "/design.html")
        page:eval [[(() => {
            const field = document.querySelector("#search input")
            field.focus()
            field.value = "conn:sendfile"
            field.dispatchEvent(new Event("input"))
        })()]]
        assert.matches("reference/lua/connection%.html#sendfile$",
            page:until_true [[(document.querySelector("#results a") || {}).href
            ]])
    end))
end)
