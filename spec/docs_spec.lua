-- What the documents say is there is there, and what is there they say.
local helper = require "spec.helper"

local function read(path)
    local file = assert(io.open(helper.root .. "/" .. path))
    local text = file:read("*a")
    file:close()
    return text
end

local function lines_of(command)
    local found = {}
    local pipe = assert(io.popen(command))
    for line in pipe:lines() do
        found[#found + 1] = line
    end
    pipe:close()
    return found
end

local function matches(text, pattern)
    local found = {}
    for name in text:gmatch(pattern) do
        found[#found + 1] = name
    end
    return found
end

local function exists(path)
    local file = io.open(helper.root .. "/" .. path)
    return file ~= nil and file:close()
end

-- A spec that is long is split: name_spec.lua or name_*_spec.lua.
local function spec_exists(path)
    local several = path:gsub("_spec%.lua$", "_*_spec.lua")
    return exists(path) or #lines_of("ls " .. helper.root .. "/" .. several
        .. " 2>/dev/null") > 0
end

local documents = lines_of("cd " .. helper.root
    .. " && find README.md CHANGELOG.md bench docs -name '*.md' | sort")

describe("docs/API.md", function()
    local manual = require "docs.site.manual"

    local function public()
        local names = {}
        for name in pairs(require("docs.site.public").names()) do
            names[name] = true
        end
        return names
    end

    local function documented()
        local names = {}
        for _, entry in ipairs(manual.read(helper.root)) do
            assert.is_nil(names[entry.name], entry.name .. " has two entries")
            names[entry.name] = true
        end
        return names
    end

    it("has an entry for each function, and for nothing else", function()
        assert.same(public(), documented())
    end)

    it("lists the settings with their defaults", function()
        local quoll = require "quoll"
        local listed = {}
        for name, default in read("docs/API.md"):gmatch(
            "\n| `([%w_]+)` | (%d+) |") do
            listed[name] = tonumber(default)
        end
        assert.same(quoll.configure(), listed)
    end)

    it("lists the counters", function()
        local text = read("docs/API.md"):match(
            "### `quoll.stats%(.-%)`\n(.-)###")
        for group, of in pairs(require("quoll").stats()) do
            assert.truthy(text:find("* `" .. group .. "`:", 1, true), group)
            for name in pairs(type(of) == "table" and of or {}) do
                assert.truthy(text:find("`" .. name .. "`", 1, true),
                    group .. "." .. name)
            end
        end
    end)
end)

describe("docs/VOCABULARY.md", function()
    local text = read("docs/VOCABULARY.md")

    it("names files that exist", function()
        local paths = matches(text, "`([%w_]+/[%w_/]+%.[ch])`")
        assert.truthy(#paths > 20)
        for _, path in ipairs(paths) do
            assert.truthy(exists(path), path)
        end
    end)

    it("names specs that exist", function()
        local paths = matches(text, "`(spec/[%w_/]+_spec%.lua)`")
        assert.truthy(#paths > 20)
        for _, path in ipairs(paths) do
            assert.truthy(spec_exists(path), path)
        end
    end)

    it("has every source of the runtime", function()
        for _, path in ipairs(lines_of("cd " .. helper.root
            .. " && ls runtime/*/*.c")) do
            assert.truthy(text:find("`" .. path .. "`", 1, true), path)
        end
    end)
end)

describe("README.md", function()
    it("has figures as they were measured", function()
        local measured = read("bench/README.md"):gsub("[ \t]+", " ")
        local figures = read("README.md"):match("\n## Figures\n(.-)\n## ")
        local rows = matches(figures, "(|[^\n]+|)\n")
        assert.truthy(#rows > 5)
        for i = 3, #rows do -- behind the table's head
            assert.truthy(measured:find("\n" .. rows[i], 1, true), rows[i])
        end
    end)
end)

describe("the documents", function()
    it("name functions and types that the sources have", function()
        local sources = table.concat(lines_of("cat " .. helper.root
            .. "/runtime/*.h " .. helper.root .. "/runtime/*/*.[ch] "
            .. helper.root .. "/bindings/*.h " .. helper.root
            .. "/cmake/*.cmake"), "\n")
        for _, path in ipairs(documents) do
            for _, name in ipairs(matches(read(path),
                "%f[%w_]([qQ][lL]_[%w_]+)")) do
                assert.truthy(sources:find("%f[%w_]" .. name .. "%f[^%w_]"),
                    path .. ": " .. name)
            end
        end
    end)

    it("are in README.md's table or the guide's, and on their page", function()
        local page = read "docs/index.html"
        for _, path in ipairs(documents) do
            local name = path:match "^docs/(.*)"
            if name then
                local list = name:find "^guide/" and read "docs/GUIDE.md"
                    or read("README.md"):gsub("%(docs/", "(")
                assert.truthy(list:find("(" .. name .. ")", 1, true), path)
                assert.truthy(page:find('href="' .. name .. '"', 1, true),
                    "docs/index.html: " .. path)
            end
        end
    end)

    it("link to files that exist", function()
        local pages = { unpack(documents) }
        pages[#pages + 1] = "docs/index.html"
        for _, path in ipairs(pages) do
            local folder = path:match("^(.*/)") or ""
            local text = read(path)
            local links = matches(text, "%]%(([^)#]+)%)")
            for _, link in ipairs(matches(text, 'href="([^"]+)"')) do
                links[#links + 1] = link
            end
            for _, link in ipairs(links) do
                assert.truthy(link:find("^https://")
                    or exists(folder .. link), path .. ": " .. link)
            end
        end
    end)
end)
