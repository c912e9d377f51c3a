local helper = require "spec.helper"

local function script(source, args)
    return helper.script([[
        local ffi = require "ffi"
        local sockets = require "spec.support.sockets"
        ffi.cdef "int setenv(const char *, const char *, int);"
        ffi.cdef "int fork(void); int waitpid(int, int *, int);"
        local fd, addr = sockets.listen "127.0.0.1:0"
        assert(ffi.C.dup2(fd, 3) == 3)
        ffi.C.setenv("LISTEN_PID", tostring(ffi.C.getpid()), 1)
        ffi.C.setenv("LISTEN_FDS", "1", 1)
        ffi.C.setenv("LISTEN_FDNAMES", "web", 1)
        local quoll = require "quoll"
    ]] .. source, args)
end

describe("quoll.inherited", function()
    it("lists sockets, at each call", function()
        local result = script [[
            local list = quoll.inherited()
            list[1].name = "changed"
            print(#list, list[1].fd, quoll.inherited()[1].name)
        ]]
        assert.same({ "1\t3\tweb\n", "" }, { result.out, result.err })
    end)
end)

describe("an inherited listener", function()
    for _, address in ipairs { "fd:3", "fd:web" } do
        it("serves: " .. address, function()
            local result = script([[
                quoll.run(function()
                    local listener = assert(quoll.listen(arg[1]))
                    local client = quoll.connect(listener:address())
                    quoll.spawn(function()
                        client:send "hello\n"
                        quoll.stop()
                    end)
                    quoll.serve(listener, function(conn)
                        print(conn:receive())
                    end)
                    print(listener:getfd())
                end)
                local fd = select(2, pcall(ffi.C.fcntl, 3, 1))
                print(fd)
            ]], { address })
            assert.same({ "nil\tclosed\tCLOSED\n-1\n", "" },
                { result.out:gsub("^hello\n", ""), result.err })
        end)
    end

    it("is refused where there is none, with options of sockets", function()
        local result = script [[
            print(quoll.listen "fd:nope")
            print(quoll.listen "fd:0")
            print(pcall(quoll.listen, "fd:3", { v6only = true }))
            print(pcall(quoll.serve, "fd:x", print))
        ]]
        assert.equal("nil\tbad address 'fd:nope': no such socket was "
            .. "inherited\tEINVAL\nnil\tsocket operation on non-socket\t"
            .. "ENOTSOCK\nfalse\tbad argument 'options' to 'listen' ('v6only' "
            .. "is for who opens the socket)\nfalse\tcannot listen on fd:x: "
            .. "bad address 'fd:x': no such socket was inherited\n",
            (result.out:gsub("%S+:%d+: (%l)", "%1")))
    end)

    it("is shared by processes, each of which serves some", function()
        local result = script [[
            local port = bit.bswap(addr.u["in"].sin_port)
            local address = "127.0.0.1:" .. bit.rshift(port, 16)
            local children = {}
            for i = 1, 2 do
                children[i] = ffi.C.fork()
                if children[i] == 0 then
                    quoll.deadline(20, quoll.serve, "fd:3", function(conn)
                        conn:send(i .. "\n")
                        -- This process does nothing else meanwhile.
                        sockets.read(conn:getfd(), 1)
                        quoll.stop()
                    end)
                    os.exit(0, true)
                end
            end
            local by = {}
            for i = 1, 2 do
                local conn = quoll.connect(address)
                by[i] = { conn = conn, name = conn:receive() }
            end
            print(by[1].name ~= by[2].name)
            by[1].conn:close()
            by[2].conn:close()
            for i = 1, 2 do
                ffi.C.waitpid(children[i], nil, 0)
            end
        ]]
        assert.same({ "true\n", 0 }, { result.out, result.code })
    end)
end)

describe("reuseport", function()
    it("lets processes share a port", function()
        local source = [[
            io.stdout:setvbuf "line"
            local quoll = require "quoll"
            local listener = assert(quoll.listen(arg[1],
                { reuseport = true }))
            print(listener:address())
            listener:serve(function(conn)
                conn:send(arg[2])
            end)
        ]]
        local quoll = require "quoll"
        local first = helper.start(source, { "127.0.0.1:0", "1" })
        local address = first:line()
        local second = helper.start(source, { address, "2" })
        assert.equal(address, second:line())
        local seen = {}
        for _ = 1, 200 do
            local conn = assert(quoll.connect(address))
            seen[conn:receive "*a"] = true
            conn:close()
            if seen["1"] and seen["2"] then
                break
            end
        end
        assert.same({ ["1"] = true, ["2"] = true }, seen)
        for _, child in ipairs { first, second } do
            child:kill(15)
            assert.equal(0, helper.finish_script(child).code)
        end
    end)
end)
