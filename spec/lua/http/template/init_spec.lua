local folders = require "spec.support.folders"
local helper = require "spec.helper"
local http = require("quoll").http
local pair = require "spec.support.pair"
local tasks = require "spec.support.tasks"

local function fill(source, context, opts)
    return http.template(source, opts)(context)
end

describe("quoll.http.template", function()
    it("escapes unless it is told not to", function()
        local context = { x = [[<a href="b">'&]], n = 1.5, f = false }
        assert.equal("&lt;a href=&quot;b&quot;&gt;&#39;&amp;",
            fill("{{x}}", context))
        assert.equal(context.x, fill("{*x*}", context))
        assert.equal("1.5 false 1.5 ", fill(
            "{{n}} {{f}} {*n*} {{none}}{*none*}", context))
    end)

    it("runs Lua", function()
        assert.equal("<li>a</li>\n<li>b</li>\n", fill("{% for _, x in "
            .. "ipairs(l) do -- all %}\n<li>{{x}}</li>\n{% end %}\n",
            { l = { "a", "b" } }))
        assert.equal("yes", fill("{% if a then %}yes{% else %}no{% end %}",
            { a = 1 }))
        assert.equal("A3", fill("{{('a'):upper()}}{{math.max(1, 3)}}"))
        assert.equal("12", fill "{% local a = 1 b = a + 1 %}{{a}}{{b}}")
        assert.equal("ab", fill "a{# {{ x\n #}b")
    end)

    it("sees its context, and no globals but those given", function()
        for _, name in ipairs { "os", "io", "require", "_G", "debug", "ffi",
            "setmetatable", "load", "getfenv" } do
            assert.equal("", fill("{{" .. name .. "}}"))
        end
        assert.equal("x", fill("{{g}}", {}, { globals = { g = "x" } }))
        assert.equal("y", fill("{{g}}", { g = "y" }, { globals = { g = 1 } }))
        fill "{% leaked = 1 string.mine = 2 %}"
        assert.is_nil(rawget(_G, "leaked"))
        assert.is_nil(rawget(string, "mine"))
    end)

    it("has blocks", function()
        assert.equal("[]<b>x</b>", fill(
            "[{-a-}<b>{{'x'}}</b>{-a-}]{*blocks.a*}"))
    end)

    it("names the line of an error at run time", function()
        local _, err = pcall(fill, "a\n{# \n #}\n{{ x.y.z }}\n", { x = {} },
            { name = "page" })
        assert.matches("^page:4: attempt to index field 'y'", err)
        pair.raises(function() http.template "{{" end,
            "init_spec.lua:%d+: template:1: ")
        pair.raises(function() return (fill("", 1)) end,
            "bad argument 'context'")
    end)
end)

describe("quoll.http.templates", function()
    helper.gates()
    local dir

    local function write(name, text)
        local file = assert(io.open(dir .. "/" .. name, "w"))
        file:write(text)
        file:close()
    end

    before_each(function() dir = folders.make() end)
    after_each(function() folders.remove(dir) end)

    it("includes others, in a layout", function()
        write("layout.html", "<t>{{title}}</t>{*blocks.js*}|{*view*}")
        write("page.html", '{% layout = "layout.html" %}\n{(item.html)}'
            .. "{(item.html, {x = 2})}{-js-}J{-js-}")
        write("item.html", "[{{x}}]")
        tasks.run(function()
            local views = http.templates(dir)
            assert.equal("<t>T</t>J|[1][2]", views:render("page.html",
                { title = "T", x = 1 }))
        end)
    end)

    it("keeps what it has compiled", function()
        write("a", "1")
        tasks.run(function()
            local views = http.templates(dir)
            local fresh = http.templates(dir, { cache = false })
            assert.equal("11", views:render "a" .. fresh:render "a")
            write("a", "2")
            assert.equal("12", views:render "a" .. fresh:render "a")
            views:clear()
            assert.equal("2", views:render "a")
        end)
    end)

    it("tells what is wrong, and where", function()
        write("a", "x\n{(b)}")
        write("b", "y\n{{ 1 + nothing }}")
        write("c", "{(c)}")
        write("d", "{{")
        tasks.run(function()
            local views = http.templates(dir)
            pair.raises(function() views:render "a" end, "^b:2: attempt to")
            pair.raises(function() views:render "c" end, "more than 32")
            pair.raises(function() views:render "none" end,
                "init_spec.lua:%d+: none: no such file or directory")
            assert.same({ nil, "d:1: '{{' without '}}'", "EBADMSG" },
                { views:load "d" })
            assert.equal("ENOENT", select(3, views:load "none"))
            assert.equal("EXDEV", select(3, views:load "../x"))
            assert.is_true(views:load "a")
        end)
    end)
end)
