-- tls_pair.lua: two ends with TLS between them, and contexts that most specs of
-- TLS can do with.
local certs = require "spec.support.certs"
local pair = require "spec.support.pair"
local quoll = require "quoll"

local tls_pair = { PATIENCE = pair.PATIENCE }

local function with(defaults, opts)
    local all = {}
    for _, from in ipairs { defaults, opts or {} } do
        for name, value in pairs(from) do
            all[name] = value
        end
    end
    return all
end

-- Options of a server that is "localhost", with those of opts.
function tls_pair.server(opts)
    local server = certs.issue "server"
    return with({ server = true, cert = server.cert, key = server.key,
        timeout = pair.PATIENCE }, opts)
end

-- Options of a client that trusts "ca", with those of opts.
function tls_pair.client(opts)
    return with({ ca = certs.authority("ca").cert, server_name = "localhost",
        timeout = pair.PATIENCE }, opts)
end

-- Handshakes at both ends: client's results, server's results (as tables).
function tls_pair.shake(client, server, client_opts, server_opts)
    local other = quoll.spawn(function()
        return { server:starttls(server_opts or tls_pair.server()) }
    end)
    local mine = { client:starttls(client_opts or tls_pair.client()) }
    return mine, other:wait(pair.PATIENCE)
end

-- client, server with TLS on.
function tls_pair.connect(client_opts, server_opts)
    local client, server = pair.connect()
    local mine, theirs = tls_pair.shake(client, server, client_opts,
        server_opts)
    assert(mine[1], mine[2])
    assert(theirs[1], theirs[2])
    return client, server
end

-- A body for `it`: fn(client, server) runs as a task.
function tls_pair.with(fn, client_opts, server_opts)
    return function()
        quoll.run(function()
            fn(tls_pair.connect(client_opts, server_opts))
        end)
    end
end

-- The next record on a plain connection: its head and body; nil at the end.
function tls_pair.record(from)
    local head = from:receive(5)
    local body = head and from:receive(head:byte(4) * 256 + head:byte(5))
    if body then
        return head, body
    end
    return nil
end

-- What the client gets, and the server, when they cannot agree.
function tls_pair.refused(client_opts, server_opts)
    local mine, theirs
    quoll.run(function()
        local client, server = pair.connect()
        mine, theirs = tls_pair.shake(client, server, client_opts, server_opts)
        client:close()
        server:close()
    end)
    return mine, theirs
end

return tls_pair
