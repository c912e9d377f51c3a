local helper = require "spec.helper"
local ffi = helper.ffi
local lib = ffi.load(helper.build .. "/lib/libquoll-code.so")

pcall(ffi.cdef, "int getppid(void);")
pcall(ffi.cdef, "char *getenv(const char *name);")
pcall(ffi.cdef, "int lua_gettop(void *L);")
pcall(ffi.cdef, [[
void *mmap(void *addr, size_t length, int prot, int flags, int fd, long offset);
int munmap(void *addr, size_t length);
]])

local function name(pc, size)
    size = size or 512
    local text = ffi.new("char[?]", size + 1, ("x"):rep(size))
    lib.ql__code_name(ffi.cast("const void *", pc), text, size)
    assert.equal(0, text[size], "behind its end")
    return ffi.string(text)
end

local function address(fn)
    return ffi.cast("uintptr_t", ffi.cast("void *", fn))
end

describe("the name of code", function()
    it("is its function, and the place in its file", function()
        local pc = address(lib.ql__code_name)
        local first = name(pc)
        assert.matches("^ql__code_name %(/%S+/libquoll%-code%.so%+0x%x+%)$",
            first)
        local at = tonumber(first:match("0x%x+"))
        assert.equal(first:gsub("0x%x+", ("0x%x"):format(at + 4)),
            name(pc + 4))
    end)

    it("is of the C library, of the program, of libraries with other tables",
        function()
            assert.matches("^[%w_]*getppid[%w_]* %(/%S*libc[.%-]%S*%+0x%x+%)$",
                name(address(ffi.C.getppid)))
            assert.matches("^lua_gettop %(/%S+%+0x%x+%)$",
                name(address(ffi.C.lua_gettop)))
            for _, file in ipairs { "libquoll-test", "libquoll-inject" } do
                local there = ffi.load(helper.build .. "/lib/" .. file .. ".so")
                local fn = file == "libquoll-test" and there.ql_loop_create
                    or there.ql_probe_ticks
                assert.matches("^ql_%l+_%l+ %(/%S+/" .. file:gsub("%-", "%%-")
                    .. "%.so%S*%+0x%x+%)$", name(address(fn)))
            end
        end)

    it("is the file alone where it exports no function", function()
        -- The first byte of a file is its header.
        local text = name(address(lib.ql__code_name))
        local base = address(lib.ql__code_name)
            - tonumber(text:match("%+(0x%x+)"))
        assert.matches("^/%S+/libquoll%-code%.so%+0x0$", name(base))
    end)

    it("tells what was made at run time, and nothing of what is nowhere",
        function()
            local page = ffi.C.mmap(nil, 4096, 3, 0x22, -1, 0)
            assert.equal("code made at run time", name(page))
            ffi.C.munmap(page, 4096)
            assert.equal("", name(nil))
            assert.equal("", name(16))
            assert.matches("^%[stack%]", name(ffi.cast("uintptr_t",
                ffi.C.getenv "PATH")))
        end)

    it("is cut where there is no room", function()
        local pc = address(lib.ql__code_name)
        local whole = name(pc)
        for size = 1, #whole + 1 do
            assert.equal(whole:sub(1, size - 1), name(pc, size))
        end
    end)
end)
