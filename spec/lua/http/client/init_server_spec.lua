-- The client and our own server.
local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"

local http = quoll.http

-- A body for `it`: fn(url, api) as a task.
local function with(handler, fn, opts)
    return function()
        quoll.run(function()
            local listener = assert(quoll.listen "127.0.0.1:0")
            local server = quoll.spawn(http.serve, listener, handler, opts)
            local url = "http://" .. listener:address()
            local ok, err = pcall(fn, url, http.client { base = url,
                timeout = pair.PATIENCE })
            listener:close()
            server:cancel()
            server:wait()
            if not ok then
                error(err, 0)
            end
        end)
    end
end

local function echo(req)
    return 200, assert(req:body()), { ["X-Method"] = req.method,
        ["X-Id"] = req.id }
end

describe("the client and our server", function()
    helper.gates()

    it("speak on kept connections, many at once", with(echo, function(_, api)
        local before = quoll.stats().connections.accepted
        quoll.scope(function(s)
            for i = 1, 20 do
                s:spawn(function()
                    for k = 1, 10 do
                        local text = ("%d %d "):format(i, k):rep(i * k)
                        local res = assert(api:put("/", text))
                        assert.equal(text, res:body())
                        assert.equal("PUT", res:header "x-method")
                    end
                end)
            end
        end)
        assert.truthy(quoll.stats().connections.accepted - before <= 20)
    end))

    it("stream both ways", with(function(req)
        local chunks = req:chunks()
        return 200, function() return chunks() end
    end, function(_, api)
        local n = 0
        local res = assert(api:post("/", function()
            n = n + 1
            return n <= 50 and ("%d "):format(n):rep(100) or nil
        end))
        local expected = {}
        for i = 1, 50 do
            expected[i] = ("%d "):format(i):rep(100)
        end
        assert.is_true(res:body() == table.concat(expected))
    end))

    it("know each other's forms", with(function(req)
        if req.path == "/json" then
            return http.json(req:json())
        elseif req.path == "/form" then
            return req:form().a .. req.query.q
        end
        local parts = {}
        for part in req:multipart() do
            parts[#parts + 1] = part.name .. "=" .. (part.filename or "")
                .. #assert(part:body())
        end
        return table.concat(parts, " ")
    end, function(_, api)
        assert.same({ a = { 1, 2 } }, assert(api:post("/json", nil,
            { json = { a = { 1, 2 } } })):json())
        assert.equal("b &=ü", assert(api:post("/form", nil, { form = {
            a = "b &=" }, query = { q = "ü" } })):body())
        local path = helper.root .. "/README.md"
        assert.equal(("f=README.md%d a=1"):format(quoll.fs.stat(path).size),
            assert(api:post("/multipart", nil, { multipart = { a = "b",
            { name = "f", path = path } } })):body())
    end))

    it("compress, set cookies and redirect", with(http.chain(http.gzip(),
        function(req)
            if req.path == "/login" then
                return 302, nil, { Location = "/", ["Set-Cookie"] =
                    http.cookie("session", "42", { path = "/" }) }
            end
            return (req.cookies.session or "nobody"):rep(2000)
        end), function(_, api)
        local jar = http.jar()
        local res = assert(api:get("/login", { jar = jar }))
        assert.equal("gzip", res:header "content-encoding")
        assert.equal(("42"):rep(2000), res:body())
    end))

    it("know each other's events", with(function()
        local n = 0
        return http.events(function()
            n = n + 1
            return n <= 3 and { data = n .. "\nx", id = n } or nil
        end)
    end, function(_, api)
        local all = {}
        for event in assert(api:get "/"):events() do
            all[#all + 1] = event.data:gsub("\n", " ") .. " " .. event.id
        end
        assert.same({ "1 x 1", "2 x 2", "3 x 3" }, all)
    end))

    it("say what went wrong", with(function(req)
        if req.path == "/cut" then
            local n = 0
            return 200, function()
                n = n + 1
                return n < 3 and "x" or nil, n == 3 and "oops" or nil
            end
        elseif req.path == "/large" then
            return (assert(req:body()))
        end
        error "oops"
    end, function(_, api)
        assert.equal("CLOSED", select(3, assert(api:get "/cut"):body()))
        assert.equal(500, assert(api:get "/raise").status)
        local res = api:post("/large", ("x"):rep(4096))
        assert.truthy(not res or res.status == 413 or res.status == 500)
    end, { body = 1000, onerror = function() end }))
end)
