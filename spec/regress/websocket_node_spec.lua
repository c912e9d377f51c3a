-- WebSockets with node's `ws` at the other end, both ways.
local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local server = require "quoll.http.websocket.server"
local sockets = require "spec.support.websocket"

local cjson = require "cjson"

local folder = helper.root .. "/" .. helper.build .. "/node"
local installed = os.execute(("%s/scripts/node_ws %s"):format(helper.root,
    folder)) == 0

-- node with the peer; its output can be read.
local function node(...)
    local p = assert(quoll.process.exec({ "node",
        helper.root .. "/spec/support/node/ws_peer.js", ... }, {
        env = { NODE_PATH = folder .. "/node_modules",
            PATH = os.getenv "PATH" },
        stdout = "pipe" }))
    p.stdout:settimeout(3 * pair.PATIENCE)
    return p
end

local function said(p)
    local line, err = p.stdout:receive()
    return line and cjson.decode(line) or error(err)
end

-- What a client of node makes of our echo server.
local function client(mode)
    local address, stop = sockets.serve(function(req)
        local ws = assert(server.accept(req, { protocols = { "chat" },
            compress = { threshold = 0 } }))
        assert.same({ "closed", 4001, "done" }, { sockets.echo(ws) })
    end)
    local p = node("client", "ws://" .. address, mode)
    local seen = {}
    for i = 1, 9 do
        seen[i] = said(p)
    end
    p:wait()
    stop()
    return seen
end

local function check_client(seen, extension)
    assert.equal("chat", seen[1].protocol)
    assert.truthy(seen[1].extensions:find(extension))
    local messages, binary = 0, 0
    for _, line in ipairs(seen) do
        assert.is_nil(line.error)
        if line.same ~= nil then
            messages = messages + 1
            binary = binary + (line.binary and 1 or 0)
            assert.is_true(line.same)
        elseif line.pong then
            assert.equal("are you there", line.pong)
        end
    end
    assert.same({ 6, 2 }, { messages, binary })
    assert.same({ code = 4001, reason = "" }, seen[9])
end

describe("a WebSocket and node's ws", function()
    helper.gates()

    -- Without node there is no peer; and node inherits what injects.
    local it = installed and not helper.injected and it or pending

    it("as the client", function()
        quoll.run(function()
            check_client(client "plain", "^$")
        end)
    end)

    it("as the client, compressed", function()
        quoll.run(function()
            check_client(client "deflate", "^permessage%-deflate")
        end)
    end)

    it("as the server", function()
        quoll.run(function()
            local p = node "server"
            local url = "ws://127.0.0.1:" .. said(p).port
            for _, compress in ipairs { false, { threshold = 0 },
                { threshold = 0, context = true, bits = 10 } }
            do
                local ws = assert(quoll.http.websocket(url, {
                    protocols = { "chat" }, compress = compress,
                    timeout = pair.PATIENCE }))
                assert.equal("chat", ws.protocol)
                assert.equal("ponged", (ws:receive(pair.PATIENCE)))
                for _, data in ipairs { "x", "", ("\xe2\x82\xac"):rep(5000),
                    ("z"):rep(200000) }
                do
                    assert.is_true(ws:send(data, "binary"))
                    assert.same({ data, "binary" },
                        { ws:receive(pair.PATIENCE) })
                end
                assert.is_true(ws:close(3000, "bye"))
                assert.same({ code = 3000, reason = "bye" }, said(p))
            end
            p:kill()
            p:wait()
        end)
    end)
end)
