-- SPDX-License-Identifier: MIT
-- Pandoc filter: what a page on paper or in a browser needs and the repository's Markdown does not
-- say. Title and running title, lines to write on, room in tables, links that lead nowhere.

local HERE = PANDOC_SCRIPT_FILE:match("^(.*)/") or "."
-- Wider blocks are set in smaller type, see page.css.
local WIDE = 90
-- A cell of as many letters is set in one line.
local SHORT = 16

local function read_file(path)
	local f = assert(io.open(path))
	local text = f:read("a")
	f:close()
	return text
end

local function html(text)
	return pandoc.RawBlock("html", text)
end

local function escape(text)
	return (text:gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }))
end

local function lines_of(text)
	return text:gmatch("[^\n]+")
end

-- "unread  ______": what stands in front of the line, or nil.
local function label_of(line)
	return line:match("^%s*([^_]-)%s*___+%s*$")
end

local function is_room_to_write(block)
	for line in lines_of(block.text) do
		if line:match("%S") and not label_of(line) then
			return false
		end
	end
	return block.text:match("___") ~= nil
end

local function ruled_lines(block)
	local out = { '<div class="rules">' }
	for line in lines_of(block.text) do
		local label = label_of(line)
		if label then
			out[#out + 1] = "<b>" .. escape(label) .. "</b><span></span>"
		end
	end
	out[#out + 1] = "</div>"
	return html(table.concat(out, "\n"))
end

local function set(text, block)
	local attr = { class = table.concat(block.classes, " "), tabindex = "0" }
	if block.classes:includes("c") then
		attr.class = attr.class .. " source"
	end
	for line in lines_of(text) do
		if utf8.len(line) > WIDE then
			attr.class = attr.class .. " wide"
			break
		end
	end
	return pandoc.CodeBlock(text, attr)
end

-- Commands, each with what it prints, are blocks of their own: a page may end between them. On a
-- phone a block scrolls, so that the keyboard must get there.
function CodeBlock(block)
	if is_room_to_write(block) then
		return ruled_lines(block)
	end
	local out = {}
	for part in (block.text:gsub("\n\n%$ ", "\0$ ") .. "\0"):gmatch("(%Z+)%z") do
		out[#out + 1] = set(part, block)
	end
	return out
end

local function every_row(t, holds)
	for _, body in ipairs(t.bodies) do
		for _, row in ipairs(body.body) do
			if not holds(row.cells) then
				return false
			end
		end
	end
	return true
end

local function last_is_empty(cells)
	return #cells[#cells].contents == 0
end

-- Minutes of a plan, names of files: a column that need not be broken.
local function first_is_short(cells)
	return utf8.len(pandoc.utils.stringify(cells[1].contents)) <= SHORT
end

function Table(t)
	if every_row(t, last_is_empty) then
		t.attr.classes:insert("write")
	end
	if every_row(t, first_is_short) then
		t.attr.classes:insert("short")
	end
	return pandoc.Div({ t }, { class = "table", tabindex = "0" })
end

-- Files of the repository are not beside the page.
function Link(link)
	if not link.target:match("^https?:") and not link.target:match("^#") then
		return link.content
	end
end

local function css_string(text)
	return '"' .. text:gsub('[\\"<]', function(c) return string.format("\\%x ", c:byte()) end) .. '"'
end

local function running_title(page, title)
	return "@page " .. page .. " { @top-left { content: " .. css_string(title) .. " } }\n"
end

-- --- the booklet ---

local function is_lab(heading)
	return pandoc.utils.stringify(heading):match("^%d%d%-") ~= nil
end

-- Every lab has "The point", "Key" and so on: their anchors begin with the lab's, which is its folder.
local function name_anchors(blocks)
	local part
	for _, block in ipairs(blocks) do
		if block.t == "Header" and block.level == 2 then
			if is_lab(block) then
				block.identifier = pandoc.utils.stringify(block):match("^[%w-]+")
			end
			part = block.identifier
		elseif block.t == "Header" and part then
			block.identifier = part .. "-" .. block.identifier:gsub("%-%d+$", "")
		end
	end
end

local function section(heading)
	local attr = { class = is_lab(heading) and "section lab" or "section" }
	if is_lab(heading) then
		attr.style = "page: lab-" .. pandoc.utils.stringify(heading):match("^%d%d")
	end
	return pandoc.Div({ heading }, attr)
end

-- A section for each heading of the second level; what stands before the first stays as it is.
local function in_sections(blocks)
	local head, sections = pandoc.List(), pandoc.List()
	for _, block in ipairs(blocks) do
		if block.t == "Header" and block.level == 2 then
			sections:insert(section(block))
		elseif #sections > 0 then
			sections[#sections].content:insert(block)
		else
			head:insert(block)
		end
	end
	return head, sections
end

-- One line an entry: labs/print/pdf adds the page.
local function contents(sections)
	local out = { '<nav aria-label="Contents">', "<ul>" }
	for _, div in ipairs(sections) do
		local heading = div.content[1]
		out[#out + 1] = '<li><a href="#' .. heading.identifier .. '">'
			.. escape(pandoc.utils.stringify(heading)) .. "</a></li>"
	end
	out[#out + 1] = "</ul>\n</nav>"
	return html(table.concat(out, "\n"))
end

-- Returns the running titles of the labs: a page of another name may have another one.
local function make_booklet(doc)
	name_anchors(doc.blocks)
	local head, sections = in_sections(doc.blocks)
	local titles = ""
	for _, div in ipairs(sections) do
		if is_lab(div.content[1]) then
			titles = titles .. running_title(div.attributes.style:match("lab%-%d%d"),
				pandoc.utils.stringify(div.content[1]))
		end
	end
	head:insert(contents(sections))
	head:extend(sections)
	doc.blocks = head
	return titles
end

-- --- the page ---

local function place_for_a_name()
	return html('<div class="rules who"><b>Name</b><span></span><b>Date</b><span></span></div>')
end

function Pandoc(doc)
	local title = pandoc.utils.stringify(doc.blocks[1])
	local titles = running_title("", title)
	if doc.meta.booklet then
		titles = titles .. make_booklet(doc)
	else
		doc.blocks:insert(1, place_for_a_name())
	end
	doc.meta.pagetitle = title
	doc.meta.style = pandoc.MetaBlocks({ html(read_file(HERE .. "/page.css") .. titles) })
	return doc
end
