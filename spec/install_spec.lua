-- What `make install` and `make uninstall` do; this machine stays as it is.
local function shell(command)
    local pipe = assert(io.popen(command .. " 2>&1; echo $?"))
    local out, code = pipe:read("*a"):match "^(.-)(%d+)\n$"
    pipe:close()
    return out, tonumber(code)
end

-- What make would run.
local function planned(arguments)
    return (shell("env -u MAKEFLAGS -u MAKELEVEL make -n install "
        .. arguments))
end

local function write(path, text)
    local file = assert(io.open(path, "w"))
    file:write(text)
    file:close()
end

describe("make install", function()
    for arguments, prefix in pairs { [""] = "/usr/local",
        ["prefix=/x"] = "/x", ["PREFIX=/x"] = "/x",
        ["PREFIX=/x prefix=/y"] = "/y" } do
        it("goes to " .. prefix .. " with '" .. arguments .. "'", function()
            assert.matches("--install build --prefix " .. prefix .. "\n",
                planned(arguments), 1, true)
        end)
    end
end)

describe("uninstall", function()
    local dir

    local function run()
        return shell("DESTDIR=" .. dir .. " cmake -DMANIFEST=" .. dir
            .. "/manifest -P cmake/uninstall.cmake")
    end

    local function left()
        return (shell("cd " .. dir .. " && find . -type f -o -empty | sort"))
    end

    before_each(function()
        dir = os.tmpname()
        os.remove(dir)
        shell("mkdir -p " .. dir .. "/p/share/lua/5.1/quoll/deep/er "
            .. dir .. "/p/lib/cmake/quoll " .. dir .. "/p/include")
        local paths = { "/p/share/lua/5.1/quoll/init.lua",
            "/p/share/lua/5.1/quoll/deep/er/one.lua", "/p/include/quoll.h",
            "/p/lib/cmake/quoll/quollConfig.cmake" }
        for _, path in ipairs(paths) do
            write(dir .. path, "")
        end
        write(dir .. "/manifest", table.concat(paths, "\n"))
    end)

    after_each(function()
        shell("rm -r " .. dir)
    end)

    it("leaves no folder of its own behind, and all others", function()
        local out, code = run()
        assert.equal(0, code, out)
        assert.equal("./p/include\n./p/lib/cmake\n./p/share/lua/5.1\n",
            left())
    end)

    it("leaves what is not its own", function()
        write(dir .. "/p/share/lua/5.1/quoll/deep/.mine", "")
        assert.equal(0, (select(2, run())))
        assert.equal("./p/include\n./p/lib/cmake\n"
            .. "./p/share/lua/5.1/quoll/deep/.mine\n", left())
    end)

    it("says that nothing is installed", function()
        run()
        local out, code = run()
        assert.equal(1, code)
        assert.matches("nothing is installed", out)
    end)
end)
