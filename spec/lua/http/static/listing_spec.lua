local helper = require "spec.helper"
local calls = require "spec.support.calls"
local site = require "spec.support.site"
local static = require("quoll.http.static").static

local ask = site.ask

describe("quoll.http.static.listing", function()
    helper.gates()

    -- "href text size time" of each row.
    local function rows(page)
        local list = {}
        for href, text, size, time in page:gmatch('<a href="(.-)">(.-)</a>'
            .. "</td><td>(.-)</td><td>(.-)</td>")
        do
            list[#list + 1] = ("%s %s %s %s"):format(href, text, size, time)
        end
        return list
    end

    local function list(dir, path, opts)
        opts = opts or {}
        opts.listing, opts.index = true, false
        local answer = ask(static(dir, opts), path)
        assert.equal(200, answer.status)
        assert.equal("text/html; charset=utf-8",
            answer.headers["Content-Type"])
        return rows(answer.body), answer.body
    end

    it("shows folders, then files, with sizes and times",
        site.with(function(dir)
            local shown = list(dir, "/")
            for i, text in ipairs(shown) do
                shown[i] = text:gsub("/  %d.*$", "/")
            end
            assert.same({ "./empty/ empty/", "./sub/ sub/",
                "./digits.txt digits.txt 10 B 2001-09-09 01:46",
                "./index.html index.html 14 B 2001-09-09 01:46",
                "./large.bin large.bin 195 KiB 2001-09-09 01:46",
                "./link.txt link.txt 10 B 2001-09-09 01:46",
                "./nothing.txt nothing.txt 0 B 2001-09-09 01:46" }, shown)
            assert.same({ "../ ..  " }, (list(dir, "/empty/")))
        end))

    it("hides what is not served", site.with(function(dir)
        local _, page = list(dir, "/")
        for _, name in ipairs { ".git", "out.txt", ">etc", "pipe" } do
            assert.is_nil(page:find(name, 1, true), name)
        end
        _, page = list(dir, "/", { dotfiles = true })
        assert.truthy(page:find(">.git/<", 1, true))
    end))

    it("escapes names", site.with(function(dir)
        local name = [[<b>&"'%20 #?]]
        calls.write(("%s/empty/%s"):format(dir, name), "x")
        local shown, page = list(dir, "/empty/")
        assert.is_nil(page:find("<b>", 1, true))
        assert.equal("./%3Cb%3E%26%22%27%2520%20%23%3F "
            .. "&lt;b&gt;&amp;&quot;&#39;%20 #?", shown[2]:match "^(.-) 1 B")
        assert.equal("x", ask(static(dir),
            "/empty/%3Cb%3E%26%22%27%2520%20%23%3F").body)
    end))

    it("is off by default, and never of a folder outside",
        site.with(function(dir)
            assert.equal(404, ask(static(dir), "/sub/").status)
            local handler = static(dir, { listing = true })
            assert.equal("<h1>hello</h1>", ask(handler, "/").body)
            assert.equal(404, ask(handler, "/etc/").status)
            assert.equal(404, ask(handler, "/none/").status)
            assert.equal(404, ask(handler, "/digits.txt/").status)
        end))

    it("fits a phone, light and dark", site.with(function(dir)
        local _, page = list(dir, "/")
        assert.truthy(page:find('name="viewport"', 1, true))
        assert.truthy(page:find("prefers-color-scheme: dark", 1, true))
    end))
end)
