"""The errors that refuse a whole file, each with a sentence that says what to do."""

from timebank.core.errors import TimebankError


class ImportRefused(TimebankError):
    """A file that cannot be read as a table at all."""

    code = "import_refused"
    status = 422
    sentence = "这个文件不能导入"


class FileEmpty(ImportRefused):
    """The file is empty or has no rows below its header."""

    code = "file_empty"
    sentence = "文件里没有数据，请检查是否选对了文件"


class FileTooLarge(ImportRefused):
    """The file has more bytes than an import accepts."""

    code = "file_too_large"
    status = 413
    sentence = "文件有 {megabytes} MB，最多 {most} MB，请分成几个文件导入"


class FileTypeWrong(ImportRefused):
    """The file is neither a workbook nor plain text."""

    code = "file_type_wrong"
    status = 415
    sentence = "只能导入 xlsx、xls、et、ods 或 csv 文件，请在表格软件里“另存为”其中一种再导入"


class WorkbookEncrypted(ImportRefused):
    """The workbook is protected with a password."""

    code = "workbook_encrypted"
    sentence = "表格设了打开密码，请去掉密码另存后再导入"


class WorkbookBroken(ImportRefused):
    """The file begins like a workbook but cannot be read as one."""

    code = "workbook_broken"
    sentence = "表格文件已损坏，打不开，请在表格软件里打开后另存再导入"


class WorkbookTooLarge(ImportRefused):
    """The workbook unpacks to far more data than a community's table can have."""

    code = "workbook_too_large"
    sentence = "表格解开后太大，不像正常的登记表，请只保留要导入的内容，复制到新表格后再导入"


class TooManyRows(ImportRefused):
    """The file has more rows than one import accepts."""

    code = "too_many_rows"
    sentence = "表格超过 {most} 行，请分成几个文件导入"


class TextUndecodable(ImportRefused):
    """The file's bytes are neither UTF-8 nor GB18030 text."""

    code = "text_undecodable"
    sentence = "读不懂文件的文字编码，请在表格软件里另存为 xlsx 或“CSV UTF-8”再导入"


class TextHasNul(ImportRefused):
    """The text file contains a NUL byte."""

    code = "text_has_nul"
    sentence = "文件里有不是文字的内容，请在表格软件里另存为 xlsx 再导入"


class TextQuoteOpen(ImportRefused):
    """A quote at the start of a field is not closed, so that the following lines were read as part of the field."""

    code = "text_quote_open"
    sentence = "第 {row} 行附近有一个引号没有配对，后面的行被当成了同一格的内容。请删掉这个引号，或改存为 xlsx 再导入"


class NoKnownColumn(ImportRefused):
    """No row of any sheet is a header that this kind of import recognises."""

    code = "no_known_column"
    sentence = "表格里没有找到认识的表头，请让其中一行写有这些列名：{headings}"


class ColumnMissing(ImportRefused):
    """A header was found, but it lacks a required column."""

    code = "column_missing"
    sentence = "工作表“{sheet}”里没有找到“{heading}”这一列（也认得：{others}），请补上列名"


class ColumnTwice(ImportRefused):
    """Two columns have the same meaning, which matters for the import, and their values differ."""

    code = "column_twice"
    sentence = (
        "工作表“{sheet}”的 {first} 列和 {second} 列都像“{heading}”，内容却不一样，不知道以哪一列为准。请只留一列；"
        "左右并排的两半，请把右边的接到左边下面"
    )
