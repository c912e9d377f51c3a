local helper = require "spec.helper"
local ffi = helper.ffi
local lib = ffi.load(helper.build .. "/lib/libquoll-code.so")

pcall(ffi.cdef, "int getppid(void);")
pcall(ffi.cdef, "char *getenv(const char *name);")
pcall(ffi.cdef, "int lua_gettop(void *L);")
pcall(ffi.cdef, [[
void *mmap(void *addr, size_t length, int prot, int flags, int fd, long offset);
int munmap(void *addr, size_t length);
int open(const char *path, int flags, ...);
int close(int fd);
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

-- A copy of the library, mapped in one piece; its dynamic section is moved to
-- where that has it.
local function copy()
    local path = os.tmpname()
    local file = assert(io.open(helper.build .. "/lib/libquoll-code.so", "rb"))
    local text = file:read "*a"
    file:close()
    file = assert(io.open(path, "wb"))
    assert(file:write(text))
    file:close()
    local fd = ffi.C.open(path, 0)
    local image = ffi.cast("char *", ffi.C.mmap(nil, #text, 3, 2, fd, 0))
    ffi.C.close(fd)
    finally(function()
        ffi.C.munmap(image, #text)
        os.remove(path)
    end)
    local segment = image + ffi.cast("uint64_t *", image)[4]
    while ffi.cast("uint32_t *", segment)[0] ~= 2 do -- PT_DYNAMIC
        segment = segment + 56
    end
    local member = ffi.cast("uint64_t *", segment)
    member[2] = member[1]
    return path, image, #text
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

    it("is not led astray by what a file says of itself", function()
        local path, image, size = copy()
        local at = tonumber(name(address(lib.ql__code_name))
            :match "%+(0x%x+)")
        local pc = ffi.cast("uintptr_t", image) + at
        assert.matches("^ql__code_name %(" .. path:gsub("%p", "%%%0") .. "%+",
            name(pc))
        local words = ffi.cast("uint32_t *", image)
        for i = 1, math.min(size / 4, 512) - 1 do
            local word = words[i]
            for _, lie in ipairs { 0, 0x7fffffff, 0xffffffff } do
                words[i] = lie
                assert.truthy(name(pc):find(path, 1, true), i)
            end
            words[i] = word
        end
        words[0] = 0
        assert.equal(("%s+0x%x"):format(path, at), name(pc))
    end)

    it("is the file alone when that has been cut short since", function()
        local path, image = copy()
        assert(io.open(path, "w")):close()
        assert.equal(path .. "+0x10",
            name(ffi.cast("uintptr_t", image) + 16))
    end)

    it("is cut where there is no room", function()
        local pc = address(lib.ql__code_name)
        local whole = name(pc)
        for size = 1, #whole + 1 do
            assert.equal(whole:sub(1, size - 1), name(pc, size))
        end
    end)
end)
