local browser = require "spec.support.browser"
local helper = require "spec.helper"
local json = require "cjson.safe"
local quoll = require "quoll"
local tasks = require "spec.support.tasks"
local http = quoll.http

local SIGINT = 2

-- fn(url, address) in a task while the site is served.
local function with_site(fn, seconds)
    return function()
        local child = helper.start("examples/site.lua", { "127.0.0.1:0" })
        local address = (child:line() or ""):match "^listening on (%S+)$"
        local ok, err = pcall(tasks.run, function()
            fn("http://" .. assert(address) .. "/", address)
        end, seconds or 20)
        child:kill(SIGINT)
        local result = helper.finish_script(child)
        assert(ok, err)
        assert.equal("", result.err)
        assert.matches("stopped\n$", result.out)
        assert.equal(0, result.code)
    end
end

local function get(url, headers)
    local res = assert(http.get(url, { headers = headers, redirects = 0 }))
    return res, assert(res:body())
end

-- Without injected system calls: curl 7.88 sends a body uncoded behind a head
-- that left in parts.
local function curl(...)
    local out, err, ok = quoll.process.run({ "env", "-u", "LD_PRELOAD", "curl",
        "-sS", "--max-time", "20", ... }, { timeout = 30 })
    assert(ok, err)
    return out
end

describe("examples/site.lua", function()
    helper.gates()

    it("serves its pages", with_site(function(url)
        local res, body = get(url)
        assert.equal(200, res.status)
        assert.matches("default%-src 'self'",
            res:header "content-security-policy")
        for name in body:gmatch ' [hs]r[ec]f?="([%w./]+)"' do
            assert.equal(200, get(url .. name:gsub("^%./$", "")).status, name)
        end
    end))

    it("shows Markdown to browsers, and gives it to the others",
        with_site(function(url)
            local res, body = get(url .. "docs/GUIDE.md",
                { Accept = "text/html,*/*" })
            assert.matches("^text/html", res:header "content-type")
            assert.matches("marked", body)
            res, body = get(url .. "docs/GUIDE.md")
            assert.matches("^text/markdown", res:header "content-type")
            assert.matches("^# Guide", body)
            assert.equal("Accept", res:header "vary")
            assert.equal("./docs/", get(url .. "docs"):header "location")
        end))

    it("tells what it does, as events", with_site(function(url)
        local res = assert(http.get(url .. "events"))
        assert.equal("text/event-stream", res:header "content-type")
        local text = ""
        for piece in res:chunks() do
            text = text .. piece
            if text:find "\ndata: {.-}\n\n" then
                break
            end
        end
        res:close()
        local stats = json.decode(text:match "\ndata: (.-)\n")
        assert.truthy(stats.connections > 0 and stats.resident > 1e6)
    end))

    it("takes uploads from curl", with_site(function(url)
        local path = helper.root .. "/docs/API.md"
        local size = #curl("file://" .. path)
        local files = json.decode(curl("-F", "file=@" .. path, "-F",
            "file=@" .. path .. ";filename=b", url .. "upload")).files
        assert.same({ size, size, "API.md", "b" }, { files[1].size,
            files[2].size, files[1].name, files[2].name })
        local put = json.decode(curl("-T", path, "-H", "Expect: 100-continue",
            url .. "upload/"))
        assert.same({ size, "API.md" }, { put.size, put.name })
        put = json.decode(curl("-T", path, "-H", "Transfer-Encoding: chunked",
            url .. "upload/x"))
        assert.same({ size, "x" }, { put.size, put.name })
        assert.equal("415", curl("-o", "/dev/null", "-w", "%{http_code}",
            "-d", "x", url .. "upload"))
    end))

    it("lets people chat", with_site(function(_, address)
        local function hear(ws)
            local message
            repeat
                message = json.decode((assert(ws:receive(10))))
            until message.text
            return message
        end
        local a = assert(http.websocket("ws://" .. address .. "/chat"))
        local b = assert(http.websocket("ws://" .. address .. "/chat"))
        a:send '{"name":"Ada","text":"hello"}'
        for _, ws in ipairs { a, b } do
            local message = hear(ws)
            assert.same({ "Ada", "hello" }, { message.name, message.text })
        end
        b:send "no json"
        b:send '{"text":7}'
        b:send '{"text":"anybody"}'
        assert.equal("anybody", hear(a).text)
        local late = assert(http.websocket("ws://" .. address .. "/chat"))
        assert.equal("hello", hear(late).text)
        for _, ws in ipairs { a, b, late } do
            assert(ws:close())
        end
    end))
end)

describe("examples/site.lua in a browser", function()
    helper.gates()

    local function in_browser(name, fn)
        if not browser.program() then
            pending(name .. " (no chromium)")
            return
        end
        it(name, with_site(function(url)
            browser.with(function(page) fn(page, url) end)
        end, 60))
    end

    in_browser("shows the page, its events, an upload and the chat",
        function(page, url)
            page:open(url)
            page:until_true "document.querySelector('.state.on[data-for=live]')"
            page:until_true "Number(connections.textContent) > 0"
            page:eval [[upload([new File([new Uint8Array(1000000)], "a.bin")])]]
            page:until_true "document.querySelector('.results li')"
            assert.matches("^a%.bin 977 KiB in ",
                page:eval "document.querySelector('.results li').textContent")
            page:until_true "socket.readyState === WebSocket.OPEN"
            page:eval [[
                say.elements.name.value = "Ada"
                say.elements.text.value = "<b>hello</b>"
                say.requestSubmit()]]
            page:until_true "document.querySelector('#messages li')"
            assert.matches("Ada <b>hello</b>$",
                page:eval "document.querySelector('#messages li').textContent")
        end)

    in_browser("renders the documents", function(page, url)
        page:open(url .. "docs/guide/tasks.md#start-and-wait")
        page:until_true "document.querySelector('.page[aria-busy]') === null"
        if page:eval "typeof marked === 'undefined'" then
            assert.truthy(page:eval "document.querySelector('pre').textContent"
                :find("# Tasks", 1, true))
        else
            assert.equal("Start and wait", page:eval(
                "document.getElementById('start-and-wait').textContent"))
            assert.truthy(page:eval
                "document.querySelector('img').naturalWidth > 0")
            assert.truthy(page:eval
                "document.querySelectorAll('a').length > 5")
        end
    end)

    in_browser("reads a stream as it comes", function(page, url)
        page:open(url)
        assert.matches("^retry: 2000\n\nevent: stats\ndata: ", page:eval [[
            (async () => {
                const answer = await fetch("events")
                const reader = answer.body.getReader()
                let text = ""
                while (!text.includes("data:")) {
                    const { value } = await reader.read()
                    text += new TextDecoder().decode(value)
                }
                await reader.cancel()
                return text
            })()]])
    end)
end)
