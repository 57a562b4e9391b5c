import "react";

// What PyScript reads of <script type="py">.
declare module "react" {
  interface ScriptHTMLAttributes<T> {
    config?: string;
    worker?: boolean | "";
  }
}
